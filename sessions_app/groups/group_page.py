"""What the leaders of a group read about it: its sessions, their spread, its drift, and who falls away from it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.safestring import SafeString

from alliance.measurement import group_course
from alliance.measurement.group_course import Drift, GroupDrift, MemberCourse, MemberPlace, Place, Spread
from alliance.measurement.scoring import points, points_apart
from alliance.measurement.standing import FlagKey
from alliance.models import User
from clients.models import Episode
from sessions_app.courses.models import Attendance, Rating
from sessions_app.flags import answered_flags, facts
from sessions_app.flags.models import Flag
from sessions_app.groups.models import Group, GroupAttendance, GroupMember, GroupSession
from sessions_app.groups.spread_drawing import drawing
from sessions_app.groups.who_reads import courses_with_open_marks
from sessions_app.instruments import rule_settings

AT_ONCE = 6  # sessions in the table; the picture has all


@dataclass(frozen=True)
class Cell:
    """One member at one session: what stands there, and whether a flag of it is open."""

    said: str
    is_number: bool = False
    is_flagged: bool = False


@dataclass(frozen=True)
class Row:
    """One member. may_open: whether whoever looks may open the member's course too."""

    member: GroupMember
    cells: list[Cell]
    place: MemberPlace
    flags: list[Flag]
    may_open: bool
    is_twice: bool

    @property
    def flags_of(self) -> datetime | None:
        """Of which session the open flags are that are named: the last one with any."""
        return max((flag.session.held_at for flag in self.flags), default=None)

    @property
    def flag_words(self) -> list[str]:
        """The strongest first."""
        flags = [flag for flag in self.flags if flag.session.held_at == self.flags_of]
        return [flag.word for flag in sorted(flags, key=lambda flag: flag.strength)]

    @property
    def needs_a_look(self) -> bool:
        return self.place.place in {Place.AWAY, Place.FALLS}

    @property
    def sentence(self) -> str:
        return place_in_words(self.place)


@dataclass(frozen=True)
class GroupPage:
    group: Group
    rows: list[Row]
    former: list[GroupMember]
    shown: list[GroupSession]
    spreads: list[Spread | None]  # of `shown`
    number_of_sessions: int
    voided: list[GroupSession]
    drift: GroupDrift
    picture: SafeString
    client_codes: set[UUID]

    @property
    def medians(self) -> list[str]:
        return ["–" if one is None else points(one.median) for one in self.spreads]

    @property
    def highest(self) -> list[str]:
        return ["–" if one is None else points(one.highest) for one in self.spreads]

    @property
    def lowest(self) -> list[str]:
        return ["–" if one is None else points(one.lowest) for one in self.spreads]

    @property
    def to_look_at(self) -> list[Row]:
        return [row for row in self.rows if row.needs_a_look]

    @property
    def drift_sentence(self) -> str:
        return drift_in_words(self.drift)


def read(group: Group, user: User, now: datetime) -> GroupPage:
    """In a fixed number of queries, however many members and sessions there are."""
    members = list(
        GroupMember.objects.filter(group=group)
        .select_related("episode__client", "episode__therapist")
        .order_by("episode__client__label_key", "pk")
    )
    every = list(group.sessions.order_by("held_at"))
    sessions = [one for one in every if not one.is_voided]
    readable = courses_with_open_marks(user, group, members)
    unread = {member.pk for member in members if member.episode_id not in readable}
    marks = _marks(group, unread)
    totals = marks.totals
    present = [member for member in members if member.is_present]
    flags = _flags(marks.member_of, now)
    parameters = rule_settings.in_force().parameters(group.form)
    courses: dict[int, MemberCourse] = {
        member.pk: MemberCourse(
            [totals[member.pk, one.pk] for one in sessions if (member.pk, one.pk) in totals],
            any(flag.calls for flag in flags[member.pk]),
        )
        for member in present
    }
    places = group_course.places(courses, parameters)
    spreads = [
        group_course.spread([total for (_, session), total in totals.items() if session == one.pk])
        for one in sessions
    ]
    shown = sessions[-AT_ONCE:]
    open_to = set(
        Episode.objects.visible_to(user)
        .filter(pk__in=[member.episode_id for member in present])
        .values_list("pk", flat=True)
    )
    clients = [member.episode.client_id for member in present]

    def cell(member: GroupMember, session: GroupSession) -> Cell:
        key = (member.pk, session.pk)
        flagged = any(flag.is_open and flag.group_session == session.pk for flag in flags[member.pk])  # type: ignore[attr-defined]
        if key in totals:
            return Cell(points(totals[key]), is_number=True, is_flagged=flagged)
        if key in marks.unrated:
            return Cell("not rated", is_flagged=flagged)
        if key in marks.closed:
            return Cell("not open to you")
        belonged = member.joined_on <= timezone.localdate(session.held_at)
        return Cell("absent" if key in marks.absent or belonged else "–")

    rows = [
        Row(
            member,
            [cell(member, session) for session in shown],
            places[member.pk],
            [flag for flag in flags[member.pk] if flag.is_open],
            member.episode_id in open_to,
            clients.count(member.episode.client_id) > 1,
        )
        for member in present
    ]
    return GroupPage(
        group=group,
        rows=rows,
        former=[member for member in members if not member.is_present],
        shown=shown,
        spreads=spreads[-AT_ONCE:],
        number_of_sessions=len(sessions),
        voided=[one for one in every if one.is_voided],
        drift=group_course.drift([one.median if one else None for one in spreads]),
        picture=drawing(spreads, group.form.total_maximum),
        client_codes={member.client_code for member in members},
    )


Key = tuple[int, int]  # of a member and a session of the group


@dataclass(frozen=True)
class _Marks:
    """What is known of the members at the sessions. closed: what this person does not read, and no flag of it."""

    totals: dict[Key, int] = field(default_factory=dict)
    absent: set[Key] = field(default_factory=set)
    unrated: set[Key] = field(default_factory=set)
    closed: set[Key] = field(default_factory=set)
    member_of: dict[int, Key] = field(default_factory=dict)  # by the session of the member's course


def _marks(group: Group, unread: set[int]) -> _Marks:
    """unread: members whose marks this person does not read."""
    found = _Marks()
    rows = GroupAttendance.objects.filter(
        group_session__group=group, group_session__voided_at__isnull=True, session__voided_at__isnull=True
    ).select_related("session")
    standing = Rating.objects.standing().filter(instrument=group.form.id)
    for row in rows.prefetch_related(Prefetch("session__ratings", standing, to_attr="standing_ratings")):
        key = (row.member_id, row.group_session_id)
        rating = next(iter(row.session.standing_ratings), None)
        is_there = row.session.attendance == Attendance.ATTENDED
        if row.member_id in unread:
            (found.closed if is_there else found.absent).add(key)
            continue
        if not is_there:
            found.absent.add(key)
        elif rating is None or rating.total is None:
            found.unrated.add(key)
        else:
            found.totals[key] = rating.total
        found.member_of[row.session_id] = key
    return found


def _flags(member_of: Mapping[int, Key], now: datetime) -> dict[int, list[Flag]]:
    """{member: the flags of the group's sessions that stand, each with what became of it}."""
    found: dict[int, list[Flag]] = defaultdict(list)
    rows = Flag.objects.standing().filter(session__in=list(member_of)).select_related("session")
    by_episode: dict[int, dict[FlagKey, Flag]] = defaultdict(dict)
    for flag in rows:
        flag.group_session = member_of[flag.session_id][1]
        key = FlagKey(flag.session_id, flag.instrument, flag.rule)
        by_episode[flag.session.episode_id][key] = flag
    if not by_episode:
        return found
    courses = facts.read(list(by_episode))
    for episode, flags in by_episode.items():
        for flag in answered_flags.answered(flags, courses[episode], now):
            found[member_of[flag.session_id][0]].append(flag)
    return found


# --- In words ------------------------------------------------------------------------------------


def place_in_words(place: MemberPlace) -> str:
    """Where a member stands beside the others; about figures, and never about the person."""
    if place.place == Place.UNKNOWN:
        return "Too few ratings to say."
    if place.place == Place.AS_USUAL:
        return "At their own level in this group."
    lower = max(place.fall or 0, 0)
    fall = f"{points_apart(lower)} below their own level in this group" if lower else "An open flag"
    if place.place == Place.FALLS or place.others is None:
        return f"{fall}. Of too few others a level is known."
    others = _others(place.others)
    if place.place == Place.AWAY:
        return f"Falls away from the group: {fall[0].lower()}{fall[1:]}, while the others, in the middle, are {others}."
    return f"Lower with the group: {fall[0].lower()}{fall[1:]}; the others, in the middle, are {others}."


def _others(fall: int) -> str:
    if abs(fall) < group_course.A_FALL:
        return "where they were"
    return f"{points_apart(abs(fall))} {'below' if fall > 0 else 'above'} their own levels"


def drift_in_words(found: GroupDrift) -> str:
    each = group_course.SESSIONS_EACH
    if found.kind == Drift.TOO_FEW:
        return f"Too few rated sessions to say where the group goes: {2 * each} are needed."
    assert found.before is not None
    assert found.now is not None
    figures = f"{points(found.before)} before, {points(found.now)} in the last {each} sessions"
    if found.kind == Drift.SAME:
        return f"The group is about where it was: median {figures}."
    return f"The group is {found.kind.value}: median {figures}."
