"""Where the rating of a session stands: one answer for the work list and the client's page."""

from datetime import datetime
from enum import StrEnum

from sessions_app.models import Attendance, TherapySession


class RatingState(StrEnum):
    RATED = "rated"
    PARTLY = "partly"  # a line is missing
    CANCELLED = "cancelled"
    DID_NOT_ATTEND = "did_not_attend"
    OVERDUE = "overdue"
    AWAITING = "awaiting"  # handed over, and the rating may still come
    TO_RATE = "to_rate"
    PLANNED = "planned"
    UNSETTLED = "unsettled"  # planned, past, and nobody said whether it took place

    @property
    def can_be_rated(self) -> bool:
        return self not in {self.RATED, self.PARTLY, self.CANCELLED, self.DID_NOT_ATTEND}


def rating_state(
    session: TherapySession, *, rated: bool, total: int | None, awaits: bool, now: datetime
) -> RatingState:
    """`total` in tenths, None where a line is missing; `awaits`: a grant for it is still accepted."""
    if rated:
        return RatingState.PARTLY if total is None else RatingState.RATED
    if session.attendance == Attendance.PLANNED:
        return RatingState.UNSETTLED if session.ends_at <= now else RatingState.PLANNED
    if session.attendance != Attendance.ATTENDED:
        return RatingState(session.attendance)
    if session.is_overdue(now):
        return RatingState.OVERDUE
    return RatingState.AWAITING if awaits else RatingState.TO_RATE
