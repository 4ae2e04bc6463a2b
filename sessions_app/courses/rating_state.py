"""Where the rating of a session stands: one answer for the work list and the client's page."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, Min, OuterRef, Subquery
from django.utils import timezone

from alliance.measurement.session_times import still_to_come
from sessions_app.courses.grants import SENT, RatingGrant, RatingGrantQuerySet
from sessions_app.courses.models import Attendance, Rating, TherapySession, TherapySessionQuerySet


class RatingState(StrEnum):
    RATED = "rated"
    PARTLY = "partly"  # a line is missing
    NOTHING_MARKED = "nothing_marked"  # handed in with no line marked
    CANCELLED = "cancelled"
    DID_NOT_ATTEND = "did_not_attend"
    OVERDUE = "overdue"
    NOT_RATED = "not_rated"  # a week is over: no page waits any more
    AWAITING = "awaiting"  # handed over, and the rating may still come
    SENT = "sent"  # to a phone or a room, and nobody has opened it there
    OPENED = "opened"
    TO_RATE = "to_rate"
    DECLINED = "declined"  # the client gave the tablet back without a rating
    ON_NOW = "on_now"  # planned, and on or about to begin
    TODAY = "today"  # planned, later today
    PLANNED = "planned"
    UNSETTLED = "unsettled"  # planned, past, and nobody said whether it took place
    # Of one link, which opens nothing any more:
    TAKEN_BACK = "taken_back"
    REPLACED = "replaced"  # by a newer form for the same session
    PAST = "past"

    @property
    def can_be_rated(self) -> bool:
        """Whether marks can be entered: from paper or voice, and perhaps by a form that is handed over."""
        return self in _CAN_BE_RATED

    def can_be_handed_over(self, session: TherapySession, now: datetime) -> bool:
        """Whether pages offer to hand the form of this session over, whose rating stands so.

        Who declined is not asked again by a press too many: the page of the hand-over has a way for a change of mind.
        """
        return self.can_be_rated and self != RatingState.DECLINED and now < session.not_rated_from

    @property
    def may_change(self) -> bool:
        """Whether what was sent is still under way."""
        return self in {RatingState.SENT, RatingState.OPENED}

    @property
    def opens_nothing(self) -> bool:
        return self in {RatingState.TAKEN_BACK, RatingState.REPLACED, RatingState.PAST}


_CAN_BE_RATED = {
    RatingState.OVERDUE,
    RatingState.NOT_RATED,
    RatingState.AWAITING,
    RatingState.SENT,
    RatingState.OPENED,
    RatingState.TO_RATE,
    RatingState.ON_NOW,
    RatingState.UNSETTLED,
    RatingState.DECLINED,
    # A form that came back empty or half filled in blocks nothing: the client can be asked again.
    RatingState.PARTLY,
    RatingState.NOTHING_MARKED,
}


def declined(grants: RatingGrantQuerySet) -> RatingGrantQuerySet:
    """Those whose client chose not to rate, and after which nothing that counts came in."""
    later = Rating.objects.standing().filter(session=OuterRef("session"), grant__gt=OuterRef("pk"))
    found: RatingGrantQuerySet = grants.filter(~Exists(later), declined=True)
    return found


def how_far(channel: str, opened_at: datetime | None) -> RatingState:
    if channel not in SENT:
        return RatingState.AWAITING
    return RatingState.OPENED if opened_at else RatingState.SENT


def state_of(
    session: TherapySession,
    *,
    marks: RatingState | None,
    awaits: RatingState | None,
    is_declined: bool,
    now: datetime,
    given: datetime | None = None,
) -> RatingState:
    """Where the rating of a session stands; marks: what its rating says (`marks_state`), None without one.

    given: when a form was given in the room for a session still to come (`begun_early`).
    """
    if marks is not None:
        return _asked_again(marks, awaits=awaits, is_declined=is_declined)
    if session.attendance == Attendance.PLANNED:
        if session.ends_at <= now:
            return RatingState.UNSETTLED
        if not still_to_come(session.held_at, now, given):
            return RatingState.ON_NOW
        same_day = timezone.localdate(session.held_at) == timezone.localdate(now)
        return RatingState.TODAY if same_day else RatingState.PLANNED
    if session.attendance != Attendance.ATTENDED:
        return RatingState(session.attendance)
    if is_declined and not awaits:
        return RatingState.DECLINED
    if session.not_rated_from <= now and not awaits:
        return RatingState.NOT_RATED
    if session.is_overdue(now):
        return RatingState.OVERDUE
    return awaits or RatingState.TO_RATE


def begun_early(sessions: Iterable[TherapySession], now: datetime) -> dict[int, datetime]:
    """{session: when a form was given for it in the room}, of those planned that may have begun with it.

    A questionnaire leaves a session planned: the form alone tells that it is on. No query where none begins soon.
    """
    soon = [
        one.pk
        for one in sessions
        if one.attendance == Attendance.PLANNED
        and still_to_come(one.held_at, now)
        and not still_to_come(one.held_at, now, now)
    ]
    if not soon:
        return {}
    given = RatingGrant.every.given_in_the_room().filter(session__in=soon).order_by()
    return dict(given.values_list("session").annotate(first=Min("made_at")))


def _asked_again(marks: RatingState, *, awaits: RatingState | None, is_declined: bool) -> RatingState:
    """Where a session with marks stands: a form that came back empty or half filled in may be out once more."""
    if marks == RatingState.RATED:
        return marks
    if awaits:
        return awaits
    return RatingState.DECLINED if is_declined and marks == RatingState.NOTHING_MARKED else marks


def with_waits(sessions: TherapySessionQuerySet, now: datetime) -> TherapySessionQuerySet:
    """Each session with `awaits_channel`, `awaits_opened_at` and `is_declined`, for `awaited`; no further query."""
    grants = RatingGrant.objects.filter(session=OuterRef("pk"))
    awaiting = grants.awaiting(now)
    found: TherapySessionQuerySet = sessions.annotate(
        awaits_channel=Subquery(awaiting.values("channel")[:1]),
        awaits_opened_at=Subquery(awaiting.values("opened_at")[:1]),
        is_declined=Exists(declined(grants)),
    )
    return found


def awaited(session: TherapySession) -> RatingState | None:
    """How far the form is that may still come, of a session that came through `with_waits`."""
    return how_far(session.awaits_channel, session.awaits_opened_at) if session.awaits_channel else None


def link_state(grant: RatingGrant, *, rating: Rating | None, now: datetime) -> RatingState:
    """Where one link stands, whatever else was made for its session; `rating`: the one that counts, if there is one.

    A rating that the link asks to replace says nothing of the link.
    """
    if grant.answered_at is not None:
        return RatingState.RATED
    if grant.is_of_the_alliance and rating is not None and rating.pk != grant.instead_of_id:
        return marks_state(rating)
    if grant.declined:
        return RatingState.DECLINED
    if RatingGrant.every.awaiting(now).filter(pk=grant.pk).exists():
        return how_far(grant.channel, grant.opened_at)
    if grant.withdrawn_at is None:
        return RatingState.PAST
    newer = RatingGrant.every.filter(session=grant.session_id, made_at__gte=grant.withdrawn_at)
    same = newer.filter(purpose=grant.purpose, rater=grant.rater)
    if not grant.is_of_the_alliance:
        same = same.filter(instrument=grant.instrument)
    is_replaced = any(other.rater_label == grant.rater_label for other in same.only("rater_label"))
    return RatingState.REPLACED if is_replaced else RatingState.TAKEN_BACK


def marks_state(rating: Rating) -> RatingState:
    """What a rating that counts says of its session: whole, partly, or nothing marked."""
    if rating.total is not None:
        return RatingState.RATED
    is_marked = any(answer is not None for answer in rating.answers.values())
    return RatingState.PARTLY if is_marked else RatingState.NOTHING_MARKED
