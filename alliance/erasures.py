"""What was erased: who asked for it, who confirmed it, and the permission that lets rows go for that once.

Everything here outlives the client. So it holds pseudonymous codes, as the access log does: never a name, a label, a
mark. Who is whose client is not known here; what goes and in which order stands in `sessions_app.records`.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.encrypted_field import EncryptedCharField

# Time enough for the second person to come back from a holiday week; then the request is void.
CONFIRM_WITHIN = timedelta(days=14)
NOTE_LENGTH = 200


class Reason(models.TextChoices):
    """Kinds alone: the kind is kept for ever, and must say nothing about the client."""

    ASKED = "asked", "The client asked for it"
    RETENTION = "retention", "The time for which records are kept is over"
    MISTAKE = "mistake", "The client was registered by mistake"
    OTHER = "other", "Another reason"


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def open(self) -> Self:
        """Those that still wait for the second person."""
        since = timezone.now() - CONFIRM_WITHIN
        return self.filter(confirmed_at__isnull=True, called_off_at__isnull=True, asked_at__gt=since)

    def done(self) -> Self:
        return self.filter(confirmed_at__isnull=False)


@append_only(
    may_change=("note", "counts", "also", "confirmed_at", "confirmed_by", "called_off_at", "called_off_by")
)
class Erasure(models.Model):
    """One person asked for the erasure of a client; another one confirms it, or somebody calls it off.

    The staff are stored by code, as in the log: replayed on a restored backup, a row must not need their rows.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.UUIDField(help_text="The code of the client, which the access log has too.")
    batch = models.UUIDField(null=True, help_text="The same for those that were asked for at once.")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = EncryptedCharField(
        max_length=NOTE_LENGTH,
        blank=True,
        default="",
        help_text="For the second person; goes with the client.",
    )
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.UUIDField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.UUIDField(null=True)
    called_off_at = models.DateTimeField(null=True)
    called_off_by = models.UUIDField(null=True)
    counts = models.JSONField(default=dict, help_text="How many rows of each kind went.")
    also = models.JSONField(default=list, help_text="The codes of records that had been merged into it.")

    objects = ErasureQuerySet.as_manager()

    class Meta:
        ordering = ("-asked_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["client"],
                condition=Q(confirmed_at__isnull=True, called_off_at__isnull=True),
                name="one_open_erasure_a_client",
            ),
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="erasure_known_reason"),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False, note=""),
                name="erasure_confirmed_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("asked_by")),
                name="erasure_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(called_off_at__isnull=True, called_off_by__isnull=True)
                | Q(called_off_at__isnull=False, called_off_by__isnull=False, confirmed_at__isnull=True),
                name="erasure_called_off_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"Erasure of {self.client}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.client

    @property
    def open_until(self) -> datetime:
        return self.asked_at + CONFIRM_WITHIN

    @property
    def is_open(self) -> bool:
        return self.confirmed_at is None and self.called_off_at is None and timezone.now() < self.open_until


class ErasurePermit(models.Model):
    """Inside one transaction: the append-only rows of this erasure's client may be deleted.

    No transaction can leave it behind. `never` refers to the row 2 of a table whose only row is 1, and the
    database looks at that when the transaction ends: with the permit still there, nothing of it is stored.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    erasure = models.OneToOneField(Erasure, models.PROTECT, related_name="permit")
    never = models.ForeignKey("self", models.DO_NOTHING, related_name="+", default=2)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="one_erasure_permit_at_a_time"),
            models.CheckConstraint(condition=Q(never=2), name="erasure_permit_never_stays"),
        )

    def __str__(self) -> str:
        return f"Permit for {self.erasure_id}"
