"""What the therapist decided not to talk about now: until the next session, or at all."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from sessions_app.courses.decisions import LINE
from sessions_app.courses.models import EpisodeRows, TherapySession


class DeferralQuerySet(EpisodeRows):
    def standing(self) -> Self:
        """Those that were not taken back, of sessions that were not voided."""
        return self.filter(undone_at__isnull=True, session__voided_at__isnull=True)

    def not_needed(self) -> Self:
        return self.standing().filter(kind=Deferral.Kind.NOT_NEEDED)


class Deferral(models.Model):
    """Flags of one episode that leave the work list without a conversation, and why.

    A flag that is raised later is not among `flags`, so it calls for a talk as ever. Undone, the row is
    kept; the next decision is a new row.
    """

    class Kind(models.TextChoices):
        LATER = "later", "Not before the next session"
        NOT_NEEDED = "not_needed", "No talk needed"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(
        TherapySession,
        models.PROTECT,
        related_name="deferrals",
        help_text="The last one held when this was decided; LATER ends with the one after it.",
    )
    flags = models.ManyToManyField("sessions_app.Flag", related_name="deferrals")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    why = EncryptedCharField("reason", max_length=LINE)
    deferred_at = models.DateTimeField(default=timezone.now)
    deferred_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    undone_why = EncryptedCharField("reason of taking it back", max_length=LINE, blank=True, default="")

    holds = False  # whether it still puts off, where `answered_flags` or the standing says so

    objects = DeferralQuerySet.as_manager()

    class Meta:
        ordering = ("deferred_at",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=["later", "not_needed"]), name="deferral_known_kind"),
            at_and_by("undone", name="deferral_undone_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{self.session}: {self.get_kind_display()}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code
