"""Who sees another therapist's clients for a while."""

import uuid
from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from clients.plausible_days import FIRST_DAY


class CoverQuerySet(models.QuerySet["Cover"]):
    def standing(self) -> Self:
        """Those that nobody ended before their time."""
        return self.filter(ended_at__isnull=True)

    def today(self) -> Self:
        """Those in force today, in the clinic's time zone."""
        return self.on(timezone.localdate(), timezone.now())

    def on(self, day: date, now: datetime) -> Self:
        """now: that of which an emergency has hours left; given apart for queries that are put together once."""
        in_force = Q(lapses_at__isnull=True) | Q(lapses_at__gt=now)
        return self.standing().filter(in_force, starts_on__lte=day, ends_on__gte=day)

    def not_over(self) -> Self:
        return self.standing().filter(ends_on__gte=timezone.localdate())


class Cover(models.Model):
    """A colleague sees one episode from a day to a day, both included, as its therapist does.

    Of an episode that is over it opens the reading alone.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    made_together = models.UUIDField(help_text="The same for all clients who were named in one step.")
    episode = models.ForeignKey("clients.Episode", models.PROTECT, related_name="covers")
    colleague = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="covers")
    starts_on = models.DateField("from")
    ends_on = models.DateField("to and including")
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    lapses_at = models.DateTimeField(null=True, help_text="Of an emergency: then it opens nothing any more.")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    objects = CoverQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(starts_on__gte=FIRST_DAY), name="cover_day_is_plausible"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="cover_ends_after_start"),
            at_and_by("ended", name="cover_ended_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{self.colleague} covers {self.episode}"

    def opens_to(self, person: uuid.UUID | None, moment: datetime) -> bool:
        """Whether it opened the episode to this person at that moment, in the clinic's time zone."""
        is_in_force = self.starts_on <= timezone.localdate(moment) <= self.ends_on
        return (
            person == self.colleague_id
            and is_in_force
            and (self.ended_at is None or moment < self.ended_at)
            and (self.lapses_at is None or moment < self.lapses_at)
        )

    @property
    def client_code(self) -> uuid.UUID:
        return self.episode.client_code
