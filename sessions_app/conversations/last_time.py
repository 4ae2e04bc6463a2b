"""Before the next session: what was said and agreed last time, and whether it helped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.flags.course import RatedSession
from sessions_app.flags.models import Discussion

# Asked after this many ratings at most: a question that nobody wants to answer must not become wallpaper.
ASKED_FOR = 3


@dataclass(frozen=True)
class LastTime:
    """`talk`: the latest conversation. `agreement`: the latest that agreed to change something; often the same."""

    talk: Discussion
    agreement: Discussion | None
    answer: FollowUp | None  # about the agreement
    asks: bool  # a rating has come since, and nobody said yet whether it helped
    next_session: TherapySession | None

    @property
    def agreed_earlier(self) -> bool:
        return self.agreement is not None and self.agreement != self.talk


def read(
    discussions: Sequence[Discussion],
    follow_ups: Mapping[int, FollowUp],
    rated: Sequence[RatedSession],
    sessions: Sequence[TherapySession],
    now: datetime,
) -> LastTime | None:
    """None where nobody talked about a rating yet. `follow_ups`: by the discussion they answer."""
    talk = max(discussions, key=lambda one: one.discussed_at, default=None)
    if talk is None:
        return None
    agreements = [one for one in discussions if one.agreed]
    agreement = max(agreements, key=lambda one: one.discussed_at, default=None)
    answer = follow_ups.get(agreement.pk) if agreement else None
    since = [one for one in rated if agreement and _came_after(agreement, one)]
    return LastTime(
        talk=talk,
        agreement=agreement,
        answer=answer,
        asks=answer is None and 1 <= len(since) <= ASKED_FOR,
        next_session=_next(sessions, now),
    )


def _came_after(agreement: Discussion, one: RatedSession) -> bool:
    """As `actions.follow_ups.rated_since`: of a later session too, for a correction arrives later as well."""
    rating = one.rating
    return (
        rating is not None
        and rating.total is not None
        and one.session.number > agreement.session.number
        and rating.received_at > agreement.discussed_at
    )


def _next(sessions: Sequence[TherapySession], now: datetime) -> TherapySession | None:
    """The next planned session; one of today stays until somebody says whether it took place."""
    today = timezone.localdate(now)
    ahead = (
        one
        for one in sessions
        if one.attendance == Attendance.PLANNED and timezone.localdate(one.held_at) >= today
    )
    return min(ahead, key=lambda one: one.held_at, default=None)
