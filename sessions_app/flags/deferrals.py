"""What the therapist decided not to talk about now: until the next session, or at all."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import TruncDate
from django.utils import timezone

from sessions_app.courses.decisions import LINE
from sessions_app.courses.models import Attendance, EpisodeRows, TherapySession

# Whoever has no further session must not be forgotten: so long a client is put off at most.
LONGEST = timedelta(days=28)


class DeferralQuerySet(EpisodeRows):
    def standing(self) -> Self:
        return self.filter(undone_at__isnull=True)

    def not_needed(self) -> Self:
        return self.standing().filter(kind=Deferral.Kind.NOT_NEEDED)

    def with_holds(self, now: datetime) -> Self:
        """Each deferral with `holds`: LATER, until the day of the next session, four weeks at most.

        The next session is one on a later day than the decision. A planned one counts, so that the client
        is on the list again while the therapist prepares; one that was cancelled or missed does not.
        """
        come = TherapySession.objects.filter(
            episode=OuterRef("session__episode"),
            attendance__in=[Attendance.PLANNED, Attendance.ATTENDED],
            held_at__date__gt=OuterRef("decided_on"),
            held_at__date__lte=timezone.localdate(now),
        )
        later = Q(kind=Deferral.Kind.LATER, undone_at__isnull=True, deferred_at__gt=now - LONGEST)
        rows = self.annotate(decided_on=TruncDate("deferred_at"))
        return rows.annotate(holds=Case(When(later, then=~Exists(come)), default=Value(value=False)))

    def put_off(self, now: datetime) -> Self:
        return self.with_holds(now).filter(holds=True)


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
    why = models.CharField("reason", max_length=LINE)
    deferred_at = models.DateTimeField(default=timezone.now)
    deferred_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    holds: bool  # where the row came through `with_holds`

    objects = DeferralQuerySet.as_manager()

    class Meta:
        ordering = ("deferred_at",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=["later", "not_needed"]), name="deferral_known_kind"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="deferral_undone_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"{self.session}: {self.get_kind_display()}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code
