"""What leaders see of one session of a group: who is there, whose form is out or in, how far marks lie apart."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q

from alliance.measurement import group_course
from alliance.measurement.group_course import Spread
from alliance.measurement.scoring import points
from alliance.models import User
from clients.models import Episode
from sessions_app.courses import rating_state
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.courses.rating_state import RatingState, marks_state
from sessions_app.groups.models import GroupAttendance, GroupMember, GroupSession
from sessions_app.groups.who_reads import courses_with_open_marks


@dataclass(frozen=True)
class Row:
    """One member at this session. state: of their form; None where they were not there."""

    member: GroupMember
    attendance: GroupAttendance | None
    session: TherapySession | None
    state: RatingState | None
    total: str
    can_be_asked: bool
    is_out: bool
    may_read: bool  # whether whoever looks reads the marks
    is_own: bool  # whoever looks works with this course: marks from paper are entered there
    is_with_a_leader: bool  # else what is written in this course is for whoever works with it

    @property
    def may_write(self) -> bool:
        return self.is_own or self.is_with_a_leader

    @property
    def is_there(self) -> bool:
        return self.state is not None


@dataclass(frozen=True)
class SessionPage:
    group_session: GroupSession
    rows: list[Row]
    spread: Spread | None

    @property
    def there(self) -> int:
        return sum(row.is_there for row in self.rows)

    @property
    def rated(self) -> int:
        return sum(row.state == RatingState.RATED for row in self.rows)

    @property
    def out(self) -> int:
        return sum(row.is_out for row in self.rows)

    @property
    def can_go_round(self) -> bool:
        return any(row.can_be_asked for row in self.rows)

    @property
    def client_codes(self) -> set[UUID]:
        return {row.member.client_code for row in self.rows}

    @property
    def spread_sentence(self) -> str:
        if self.spread is None:
            return "Nobody has rated yet."
        if self.spread.count == 1:
            return f"One rating: {points(self.spread.median)}."
        ends = f"{points(self.spread.lowest)} to {points(self.spread.highest)}"
        return f"Median {points(self.spread.median)}, from {ends}, of {self.spread.count} ratings."


def read(group_session: GroupSession, user: User, now: datetime) -> SessionPage:
    """In a fixed number of queries, however many members there are."""
    group = group_session.group
    took_part = Q(attendances__group_session=group_session)
    belongs = Q(left_on__isnull=True, episode__closed_on__isnull=True)
    found = GroupMember.objects.filter(took_part | belongs, group=group).distinct()
    found = found.select_related("episode__client").order_by("episode__client__label_key", "pk")
    members: list[GroupMember] = list(found)
    attendances = {row.member_id: row for row in group_session.attendances.all()}
    standing = Rating.objects.standing()
    sessions = rating_state.with_waits(
        TherapySession.every.filter(in_group__group_session=group_session), now
    ).prefetch_related(Prefetch("ratings", standing, to_attr="standing_ratings"))
    by_pk = {session.pk: session for session in sessions}
    own = set(
        Episode.objects.own(user)
        .filter(pk__in=[member.episode_id for member in members])
        .values_list("pk", flat=True)
    )
    readable = courses_with_open_marks(user, group, members)
    rows, totals = [], []
    for member in members:
        attendance = attendances.get(member.pk)
        session = by_pk[attendance.session_id] if attendance else None
        row = _row(
            member,
            attendance,
            session,
            now,
            may_read=member.episode_id in readable,
            is_own=member.episode_id in own,
            is_with_a_leader=member.episode.therapist_id in group.leader_pks,
        )
        rows.append(row)
        if row.is_there and row.may_read and session and session.standing_ratings:
            totals += [one.total for one in session.standing_ratings if one.total is not None]
    return SessionPage(group_session, rows, group_course.spread(totals))


def _row(
    member: GroupMember,
    attendance: GroupAttendance | None,
    session: TherapySession | None,
    now: datetime,
    *,
    may_read: bool,
    **whose: bool,
) -> Row:
    if session is None or session.is_voided or session.attendance != Attendance.ATTENDED:
        return Row(member, attendance, session, None, "", False, False, may_read, **whose)
    rating = next(iter(session.standing_ratings), None)
    awaits = rating_state.awaited(session)
    state = rating_state.state_of(
        session,
        marks=marks_state(rating) if rating else None,
        awaits=awaits,
        is_declined=session.is_declined,
        now=now,
    )
    total = points(rating.total) if may_read and rating and rating.total is not None else ""
    can_be_asked = state.can_be_rated and now < session.not_rated_from and member.episode.is_open
    return Row(member, attendance, session, state, total, can_be_asked, awaits is not None, may_read, **whose)
