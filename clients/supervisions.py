"""Who supervises whom."""

import uuid
from datetime import date, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clients.plausible_days import FIRST_DAY


class SupervisionQuerySet(models.QuerySet["Supervision"]):
    def today(self) -> Self:
        """The supervisions in force today, in the clinic's time zone; of an emergency, for its hours alone."""
        return self.on(timezone.localdate(), timezone.now())

    def on(self, day: date, now: datetime) -> Self:
        """now: that of which an emergency has hours left; given apart for queries that are put together once."""
        return self.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=day),
            Q(lapses_at__isnull=True) | Q(lapses_at__gt=now),
            starts_on__lte=day,
        )


class Supervision(models.Model):
    """Who supervises whom, from when to when. It is what lets a supervisor see a caseload."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supervisor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="supervisions_given"
    )
    therapist = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="supervisions_received"
    )
    starts_on = models.DateField("from", default=timezone.localdate)
    ends_on = models.DateField("to and including", null=True, blank=True)
    lapses_at = models.DateTimeField(
        null=True, editable=False, help_text="Of an emergency: then it opens nothing any more."
    )

    objects = SupervisionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(supervisor=F("therapist")), name="supervision_of_another_person"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="supervision_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__gte=FIRST_DAY), name="supervision_day_is_plausible"
            ),
            models.UniqueConstraint(
                fields=["supervisor", "therapist"],
                condition=Q(ends_on__isnull=True),
                name="one_open_supervision_a_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.supervisor} supervises {self.therapist}"


def supervisees_on(*, user: uuid.UUID, today: date, now: datetime) -> "models.QuerySet[Supervision, Any]":
    """The keys of those whom `user` supervises that day, for a query that is put together once."""
    return Supervision.objects.on(today, now).filter(supervisor=user).values("therapist")
