"""What waits for a second person because it would let somebody see ratings (docs/adr/0068).

The rows hold codes, days and reasons, never a label or a mark. What each kind means, does and whom it concerns is
known to `clients.approval_kinds`; the writes are in `clients.approval_actions`.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.encrypted_field import EncryptedCharField

# Two days: somebody who is told by mail has a working day in it, also over a Sunday.
WAITS_FOR = timedelta(hours=48)
# A night on duty; by then a second person is there, or the 48 hours have to pass.
EMERGENCY_LASTS = timedelta(hours=12)
# An invitation that was approved and that nobody drew the link of is not an open door for ever.
USABLE_FOR = timedelta(hours=72)


class Outcome(models.TextChoices):
    OPEN = "", "Waiting"
    APPROVED = "approved", "Confirmed"
    WAITED = "waited", "Took effect after 48 hours"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    FAILED = "failed", "Void"


class ApprovalQuerySet(models.QuerySet["ApprovalRequest"]):
    def open(self) -> Self:
        return self.filter(outcome=Outcome.OPEN)

    def due(self) -> Self:
        """Those whose 48 hours have passed without a word."""
        return self.open().filter(waits_until__lte=timezone.now())


@append_only(
    may_change=(
        *("note", "outcome", "decided_at", "decided_by", "why", "used_at"),
        *("emergency_at", "emergency_by", "emergency_reason", "emergency_made"),
    )
)
class ApprovalRequest(models.Model):
    """One person asked for something that opens ratings; a second one confirms it, or 48 hours pass.

    What was asked for never changes: whoever confirms it confirms what they read.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, help_text="The code of an `ApprovalKind`.")
    what = models.JSONField(help_text="Codes and days, as the kind needs them.")
    said = models.CharField(max_length=400, help_text="The sentence that all read of it; it names no client.")
    same = models.CharField(max_length=64, help_text="A hash of what is asked for: it is open once.")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="approvals_asked_for",
        null=True,
        help_text="Who would see ratings, or sign in anew.",
    )
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        help_text="Empty: a command of the server.",
    )
    waits_until = models.DateTimeField()
    note = EncryptedCharField(
        max_length=200,
        blank=True,
        default="",
        help_text="What was typed about a client; goes when it is decided.",
    )
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    why = models.CharField(max_length=200, blank=True, default="")
    used_at = models.DateTimeField(null=True, help_text="When the link of an approved invitation was drawn.")
    emergency_at = models.DateTimeField(null=True)
    emergency_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        help_text="Empty: a command of the server.",
    )
    emergency_reason = models.CharField(max_length=200, blank=True, default="")
    emergency_made = models.UUIDField(null=True, help_text="The code of the rows that it made.")

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        ordering = ("-asked_at", "-pk")
        indexes = (
            models.Index(fields=["waits_until"], condition=Q(outcome=""), name="approval_open_by_moment"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["same"], condition=Q(outcome=""), name="one_open_approval_of_the_same"
            ),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="approval_known_outcome"),
            models.CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True)
                | (~Q(outcome="") & Q(decided_at__isnull=False, note="")),
                name="approval_decided_with_an_outcome",
            ),
            # Two people: the database itself refuses one who confirms for themselves.
            models.CheckConstraint(
                condition=~Q(outcome="approved")
                | (
                    Q(decided_by__isnull=False)
                    & (Q(asked_by__isnull=True) | ~Q(decided_by=F("asked_by")))
                    & (Q(person__isnull=True) | ~Q(decided_by=F("person")))
                ),
                name="approval_by_two_people",
            ),
            # And time alone opens nothing before its time.
            models.CheckConstraint(
                condition=~Q(outcome="waited") | Q(decided_by__isnull=True, decided_at__gte=F("waits_until")),
                name="approval_waited_its_time",
            ),
            models.CheckConstraint(
                condition=Q(emergency_at__isnull=True) | ~Q(emergency_reason=""),
                name="approval_emergency_with_a_reason",
            ),
        )

    def __str__(self) -> str:
        return f"Approval of {self.kind}"

    @property
    def is_open(self) -> bool:
        return self.outcome == Outcome.OPEN

    @property
    def took_effect(self) -> bool:
        return self.outcome in (Outcome.APPROVED, Outcome.WAITED)

    @property
    def emergency_until(self) -> datetime | None:
        return self.emergency_at + EMERGENCY_LASTS if self.emergency_at else None


class ApprovalNoticeQuerySet(models.QuerySet["ApprovalNotice"]):
    def unseen(self) -> Self:
        return self.filter(seen_at__isnull=True)


class ApprovalNotice(models.Model):
    """Somebody whom a request concerns is told of it, on their first page, until they have seen how it ended."""

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="notices")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="approval_notice_rows")
    seen_at = models.DateTimeField(null=True)

    objects = ApprovalNoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-request__asked_at", "-pk")
        indexes = (
            models.Index(fields=["person"], condition=Q(seen_at__isnull=True), name="approval_notice_unseen"),
        )
        constraints = (
            models.UniqueConstraint(fields=["request", "person"], name="one_notice_a_request_and_person"),
        )

    def __str__(self) -> str:
        return f"{self.request}, told to {self.person}"


# --- Taken by the next read -----------------------------------------------------------------------

_take_due: list[Callable[[], object]] = []


def register(take_due: Callable[[], object]) -> None:
    """`clients` registers here what lets a request take effect whose time has passed."""
    if take_due not in _take_due:
        _take_due.append(take_due)


def take_due() -> None:
    for take in _take_due:
        take()
