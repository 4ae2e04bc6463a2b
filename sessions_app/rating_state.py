"""Where the rating of a session stands: one answer for the work list and the client's page."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet
from django.utils import timezone

from sessions_app.models import SENT, Attendance, RatingGrant, TherapySession


class RatingState(StrEnum):
    RATED = "rated"
    PARTLY = "partly"  # a line is missing
    CANCELLED = "cancelled"
    DID_NOT_ATTEND = "did_not_attend"
    OVERDUE = "overdue"
    AWAITING = "awaiting"  # handed over, and the rating may still come
    SENT = "sent"  # to a phone or a room, and nobody has opened it there
    OPENED = "opened"
    TO_RATE = "to_rate"
    DECLINED = "declined"  # the client gave the tablet back without a rating
    TODAY = "today"  # planned, later today
    PLANNED = "planned"
    UNSETTLED = "unsettled"  # planned, past, and nobody said whether it took place

    @property
    def can_be_rated(self) -> bool:
        return self in _CAN_BE_RATED


_CAN_BE_RATED = {
    RatingState.OVERDUE,
    RatingState.AWAITING,
    RatingState.SENT,
    RatingState.OPENED,
    RatingState.TO_RATE,
    RatingState.TODAY,
    RatingState.UNSETTLED,
    RatingState.DECLINED,
}


@dataclass(frozen=True)
class Waits:
    """Sessions whose grant is still accepted, with how far it is, and those whose client chose not to rate."""

    awaiting: dict[int, RatingState]
    declined: frozenset[int]


def waits(sessions: QuerySet[TherapySession], now: datetime) -> Waits:
    grants = RatingGrant.objects.filter(session__in=sessions)
    awaiting = RatingGrant.objects.awaiting(now).filter(session__in=sessions)
    return Waits(
        {row[0]: _how_far(*row[1:]) for row in awaiting.values_list("session", "channel", "opened_at")},
        frozenset(grants.filter(declined=True).values_list("session", flat=True)),
    )


def _how_far(channel: str, opened_at: datetime | None) -> RatingState:
    if channel not in SENT:
        return RatingState.AWAITING
    return RatingState.OPENED if opened_at else RatingState.SENT


def rating_state(
    session: TherapySession, *, rated: bool, total: int | None, waits: Waits, now: datetime
) -> RatingState:
    """`total` in tenths, None where a line is missing."""
    if rated:
        return RatingState.PARTLY if total is None else RatingState.RATED
    if session.attendance == Attendance.PLANNED:
        if session.ends_at <= now:
            return RatingState.UNSETTLED
        same_day = timezone.localdate(session.held_at) == timezone.localdate(now)
        return RatingState.TODAY if same_day else RatingState.PLANNED
    if session.attendance != Attendance.ATTENDED:
        return RatingState(session.attendance)
    awaits = waits.awaiting.get(session.pk)
    if session.pk in waits.declined and not awaits:
        return RatingState.DECLINED
    if session.is_overdue(now):
        return RatingState.OVERDUE
    return awaits or RatingState.TO_RATE
