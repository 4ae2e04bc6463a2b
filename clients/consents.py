"""That a client agreed to look at an earlier course together with the therapist of today."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from clients.plausible_days import FIRST_DAY


class EarlierCourseConsentQuerySet(models.QuerySet["EarlierCourseConsent"]):
    def standing(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)


class EarlierCourseConsent(models.Model):
    """The client agreed that the therapist of `episode` shows the page for two of an earlier course."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    earlier = models.ForeignKey("clients.Episode", models.PROTECT, related_name="consents")
    episode = models.ForeignKey("clients.Episode", models.PROTECT, related_name="consents_to_earlier")
    given_on = models.DateField()
    recorded_at = models.DateTimeField(default=timezone.now)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    objects = EarlierCourseConsentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(given_on__gte=FIRST_DAY), name="consent_day_is_plausible"),
            models.CheckConstraint(condition=~Q(earlier=F("episode")), name="consent_to_another_course"),
            at_and_by("withdrawn", name="consent_withdrawn_at_and_by"),
            models.UniqueConstraint(
                fields=["earlier", "episode"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_consent_a_pair_of_courses",
            ),
        )

    def __str__(self) -> str:
        return f"Consent to show {self.earlier}"
