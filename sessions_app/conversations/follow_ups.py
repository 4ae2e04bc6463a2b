"""Whether what was agreed helped: asked after the next rating, in the words of therapist and client."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from sessions_app.courses.models import EpisodeRows, TherapySession
from sessions_app.flags.models import Discussion


class FollowUpQuerySet(EpisodeRows):
    def standing(self) -> Self:
        return self.filter(undone_at__isnull=True)


class FollowUp(models.Model):
    """The answer to "did it help?" about what one conversation agreed; at most one of them stands.

    It is somebody's view, not a measurement: the ratings say what they say beside it.
    """

    class Answer(models.TextChoices):
        HELPED = "helped", "It helped"
        PARTLY = "partly", "It helped a little"
        NOT_YET = "not_yet", "Not yet"
        NOT_TRIED = "not_tried", "We did not try it"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    discussion = models.ForeignKey(Discussion, models.PROTECT, related_name="follow_ups")
    session = models.ForeignKey(
        TherapySession,
        models.PROTECT,
        related_name="follow_ups",
        help_text="The session after whose rating it was asked.",
    )
    answer = models.CharField("did it help?", max_length=20, choices=Answer.choices)
    noted_at = models.DateTimeField(default=timezone.now)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ("noted_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["discussion"],
                condition=Q(undone_at__isnull=True),
                name="one_follow_up_stands_a_discussion",
            ),
            models.CheckConstraint(
                condition=Q(answer__in=["helped", "partly", "not_yet", "not_tried"]),
                name="follow_up_known_answer",
            ),
            at_and_by("undone", name="follow_up_undone_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{self.discussion}: {self.get_answer_display()}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code
