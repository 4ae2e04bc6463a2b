"""Marks that arrived when the episode was over already: somebody who may see them is told, until they say so."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from clients.models import Ending, Episode
from sessions_app.courses.models import EpisodeRows, TherapySession


class LateMarksQuerySet(EpisodeRows):
    def unseen(self) -> Self:
        """In courses that are over; where one was reopened, they are marks like any others."""
        return self.filter(seen_at__isnull=True, session__episode__closed_on__isnull=False)

    def whose_therapist_left(self, episodes: "models.QuerySet[Episode]") -> Self:
        """Those of `episodes` whose therapist went on from the client, or from the clinic."""
        gone = Q(session__episode__therapist__is_active=False) | Q(
            session__episode__therapist__is_therapist=False
        )
        return self.filter(
            Q(session__episode__ending=Ending.TRANSFERRED) | gone,
            session__episode__in=episodes,
        )


class LateMarks(models.Model):
    """That something arrived for a session after the end: marks that count, or that were set aside."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="late_marks")
    arrived_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = LateMarksQuerySet.as_manager()

    class Meta:
        ordering = ("arrived_at",)
        indexes = (
            models.Index(fields=["session"], condition=Q(seen_at__isnull=True), name="late_marks_unseen"),
        )
        constraints = (at_and_by("seen", name="late_marks_seen_at_and_by"),)

    def __str__(self) -> str:
        return f"Late marks of {self.session}"


def note_if_over(session: TherapySession, episode: Episode) -> None:
    """`episode`: its row as it stands behind the lock."""
    if not episode.is_open:
        LateMarks.objects.create(session=session)
