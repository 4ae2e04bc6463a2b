"""What a course means, stored: pages read it and conclude nothing."""

import uuid

from django.db import models

from clients.models import Episode
from sessions_app.courses.models import EpisodeRows, Rating
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion


class EpisodeStandingQuerySet(EpisodeRows):
    to_episode = "episode"


class EpisodeStanding(models.Model):
    """The standing of one episode (`alliance.measurement.standing`), as `flags.conclude` wrote it last.

    A conclusion: it can be computed again from the facts at any time, and `recompute_flags --check` does so.
    What the clock changes is stored as a moment, so that reading needs no rule.
    """

    episode = models.OneToOneField(Episode, models.PROTECT, primary_key=True, related_name="standing")
    # Never the same twice, not even after a backup was restored: pages keep finished pieces by it.
    revision = models.UUIDField(default=uuid.uuid4, help_text="Another one with every change of this row.")
    settings_version = models.CharField(max_length=40)
    calls_from = models.DateTimeField(
        null=True, help_text="From when something calls for a talk; null where nothing does, or will."
    )
    talk = models.ForeignKey(
        Discussion, models.PROTECT, related_name="+", null=True, help_text="The latest that stands."
    )
    agreement = models.ForeignKey(
        Discussion,
        models.PROTECT,
        related_name="+",
        null=True,
        help_text="The latest that agreed to change something.",
    )
    words = models.ForeignKey(
        Rating,
        models.PROTECT,
        related_name="+",
        null=True,
        help_text="The latest one with a sentence of the client, of the last complete rating or since.",
    )
    deferral = models.ForeignKey(
        Deferral, models.PROTECT, related_name="+", null=True, help_text="The latest that stands."
    )
    put_off = models.ForeignKey(
        Deferral, models.PROTECT, related_name="+", null=True, help_text="The latest that only puts off."
    )
    put_off_until = models.DateTimeField(null=True, help_text="When that one ends.")
    course = models.JSONField(help_text="Flags, last totals, gaps: see `flags.standing`. Tenths and moments.")
    process = models.JSONField(help_text="{day: the counts this episode adds to `ProcessDay`}")

    objects = EpisodeStandingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Standing of {self.episode_id}"
