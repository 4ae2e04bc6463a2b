"""How far the flags have been computed again under new settings."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class RecomputationQuerySet(models.QuerySet["Recomputation"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at__isnull=True)


class Recomputation(models.Model):
    """One run over all episodes. It can stop after any batch and go on from `last_episode`, whoever runs it."""

    settings_version = models.CharField(max_length=40)
    episodes = models.PositiveIntegerField(help_text="How many there are to look at.")
    done = models.PositiveIntegerField(default=0)
    last_episode = models.BigIntegerField(default=0, help_text="Row number; episodes are taken in its order.")
    changed = models.PositiveIntegerField(default=0, help_text="Flags raised, withdrawn or said otherwise.")
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, help_text="Null: a command."
    )
    finished_at = models.DateTimeField(null=True)

    objects = RecomputationQuerySet.as_manager()

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.CheckConstraint(condition=Q(done__lte=F("episodes")), name="recomputation_not_beyond_all"),
        )

    def __str__(self) -> str:
        return f"Recomputation under {self.settings_version}: {self.done} of {self.episodes}"
