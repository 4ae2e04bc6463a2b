"""What happens to an episode: it ends, changes hands, and its days are put right. Each is a row that stays."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField


class EpisodeClosing(models.Model):
    """One end of an episode, and what became of what was still out. One that was taken back is kept."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey("clients.Episode", models.PROTECT, related_name="closings")
    closed_at = models.DateTimeField(default=timezone.now)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    cancelled = models.JSONField(default=list, help_text="Codes of the planned sessions that it cancelled.")
    forms_taken_back = models.PositiveSmallIntegerField(default=0)
    forms_left_out = models.PositiveSmallIntegerField(default=0)
    accepted_until = models.DateTimeField(null=True, help_text="Until when marks of those still count.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    class Meta:
        constraints = (
            at_and_by("undone", name="closing_undone_at_and_by"),
            models.UniqueConstraint(
                fields=["episode"], condition=Q(undone_at__isnull=True), name="one_closing_an_episode"
            ),
        )

    def __str__(self) -> str:
        return f"End of {self.episode}"


class DayCorrection(models.Model):
    """A day that was written down wrong and put right: what stood, what stands, and why."""

    class Of(models.TextChoices):
        OPENED = "opened", "Opening day"
        CLOSED = "closed", "Closing day"
        STARTS = "starts", "First day of supervision"
        ENDS = "ends", "Last day of supervision"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey("clients.Episode", models.PROTECT, related_name="day_corrections", null=True)
    supervision = models.ForeignKey(
        "clients.Supervision", models.PROTECT, related_name="day_corrections", null=True
    )
    of = models.CharField(max_length=20, choices=Of.choices)
    was = models.DateField(null=True)
    becomes = models.DateField(null=True)
    why = EncryptedCharField(max_length=200)
    corrected_at = models.DateTimeField(default=timezone.now)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("corrected_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(episode__isnull=False, supervision__isnull=True)
                | Q(episode__isnull=True, supervision__isnull=False),
                name="day_correction_of_one_thing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_of_display()}: {self.becomes} instead of {self.was}"


class CaseloadTransfer(models.Model):
    """Clients who were given to other therapists in one step."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    on = models.DateField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    class Meta:
        constraints = (at_and_by("undone", name="transfer_undone_at_and_by"),)

    def __str__(self) -> str:
        return f"Transfer of {self.on}"


class EpisodeTransfer(models.Model):
    """One client in a transfer: the episode that ended, and the one that began.

    `to` is null once the transfer was taken back: that episode, in which nothing had been written, is gone.
    """

    transfer = models.ForeignKey(CaseloadTransfer, models.PROTECT, related_name="episodes")
    episode = models.ForeignKey("clients.Episode", models.PROTECT, related_name="transfers")
    to = models.OneToOneField("clients.Episode", models.SET_NULL, related_name="came_by", null=True)
    therapist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("episode__client__label", "pk")
        constraints = (models.UniqueConstraint(fields=["transfer", "episode"], name="once_in_a_transfer"),)

    def __str__(self) -> str:
        return f"{self.episode} to {self.therapist}"
