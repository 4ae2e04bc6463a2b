"""A supervisor's caseload: the groups of the therapists' work lists in the same order, and how feedback is used.

A fixed number of queries whatever the size, and every figure formatted here once: templates that
format cost more than the queries. A client's sentence is shown only where the client ticked that the supervisor may
read it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from alliance.measurement.talk_groups import Group, place
from alliance.models import User
from alliance.prepared import PreparedValues
from clients.models import Episode, Supervision
from clients.supervisions import supervisees_on
from sessions_app.conversations import repairs
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.corrections import set_aside
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.dashboards import caseload_rows, course_standings, outcomes, process_figures
from sessions_app.dashboards.caseload_rows import ClientRow
from sessions_app.dashboards.course_standings import CourseStanding
from sessions_app.dashboards.outcomes import OutcomeCell
from sessions_app.dashboards.process_figures import ShareRow
from sessions_app.flags import chance_returns, process_measures
from sessions_app.flags.chance_returns import Chance
from sessions_app.flags.facts import beginning_of
from sessions_app.instruments.promises import Door
from sessions_app.questionnaires import waiting
from sessions_app.questionnaires.risk_answers import RiskAnswer
from sessions_app.supervision.questions import count_of_open


class Part(Enum):
    """The one part of the page where a client is shown."""

    NEEDS_A_TALK = auto()
    STAYS_LOW = auto()
    BACK = auto()
    TALKED_ABOUT = auto()
    DEFERRED = auto()
    NOT_IMPROVING = auto()
    GAP = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class SuperviseeRow:
    """How one therapist collects and uses feedback. Process only: no score is in here."""

    name: str
    active: str
    open_flags: str
    overdue: str
    shares: tuple[ShareRow, ...]


@dataclass(frozen=True, slots=True)
class Caseload:
    supervisees: tuple[User, ...]
    chosen: User | None
    needs_a_talk: tuple[ClientRow, ...]
    stays_low: tuple[ClientRow, ...]
    back: tuple[ClientRow, ...]
    talked_about: tuple[ClientRow, ...]
    deferred: tuple[ClientRow, ...]
    not_improving: tuple[ClientRow, ...]
    gaps: tuple[ClientRow, ...]
    others: tuple[ClientRow, ...]
    measures: tuple[SuperviseeRow, ...]
    not_back: str  # what the sign of that name says; empty where nobody has it
    risk_answers: tuple[RiskAnswer, ...] = ()  # at which the reader has to look: therapists who are away

    @property
    def client_codes(self) -> list[UUID]:
        return [
            row.client
            for part in (self.needs_a_talk, self.stays_low, self.back, *self._quiet)
            for row in part
        ] + [one.client_code for one in self.risk_answers]

    @property
    def _quiet(self) -> tuple[tuple[ClientRow, ...], ...]:
        return self.talked_about, self.deferred, self.not_improving, self.gaps, self.others

    @property
    def clients(self) -> int:
        return len(self.client_codes) - len(self.risk_answers)


def read(supervisor: User, now: datetime, therapist: str | None = None) -> Caseload:
    """All that the page shows of the therapists `supervisor` supervises today, or of one of them.

    `therapist` is what a link carried; one that names none of the supervisees is ignored.
    """
    supervisees = tuple(supervisees_of(supervisor))
    chosen = next((one for one in supervisees if one.pk == _code(therapist)), None)
    therapists = (chosen,) if chosen else supervisees
    parts, waits = _by_part(supervisor, now, chosen)
    rows = {part: tuple(_kept_row(one) for one in placed) for part, placed in parts.items()}
    courses = [one.course for placed in parts.values() for one in placed]
    chance = chance_returns.under(courses[0].row.settings_version if courses else "")
    return Caseload(
        supervisees=supervisees,
        chosen=chosen,
        needs_a_talk=rows[Part.NEEDS_A_TALK],
        stays_low=rows[Part.STAYS_LOW],
        back=rows[Part.BACK],
        talked_about=rows[Part.TALKED_ABOUT],
        deferred=rows[Part.DEFERRED],
        not_improving=rows[Part.NOT_IMPROVING],
        gaps=rows[Part.GAP],
        others=rows[Part.OTHER],
        measures=tuple(_measures(therapists, courses, chance, now)),
        not_back=repairs.not_back(chance.table) if any(one.is_not_back for one in courses) else "",
        risk_answers=tuple(waiting.risk_answers(supervisor)) if waits else (),
    )


def in_order(supervisor: User, now: datetime) -> list[UUID]:
    """The codes of the open episodes in the order of the page."""
    parts, _ = _by_part(supervisor, now)
    return [one.course.episode.code for part in Part for one in parts[part]]


def _code(text: str | None) -> UUID | None:
    try:
        return UUID(text)
    except (TypeError, ValueError):
        return None


def supervisees_of(supervisor: User) -> QuerySet[User]:
    """By the alphabet, here and on the page: any other order would be read as a ranking."""
    today = Supervision.objects.today().filter(supervisor=supervisor)
    return User.objects.filter(pk__in=today.values("therapist")).order_by("name_key", "email")


# --- Who needs a talk first --------------------------------------------------------------------------


def _written_meetings(
    user: UUID, today: date, now: datetime, since: datetime, until: datetime
) -> QuerySet[TherapySession, tuple[Any, ...]]:
    sessions = TherapySession.objects.filter(
        episode__therapist__in=supervisees_on(user=user, today=today, now=now),
        episode__closed_on__isnull=True,
        attendance__in=[Attendance.PLANNED, Attendance.ATTENDED],
        ends_at__gt=now,
        held_at__gte=since,  # for the index by day
        held_at__lt=until,
    )
    return sessions.order_by("held_at").values_list("episode", "number", "held_at")


_MEETINGS = PreparedValues(
    _written_meetings, user=UUID, today=date, now=datetime, since=datetime, until=datetime
)


def _meetings(supervisor: User, now: datetime) -> dict[int, list[tuple[int, datetime]]]:
    """{episode: number and moment of its sessions of today and tomorrow that are not over}; one query."""
    today = timezone.localdate(now)
    rows = _MEETINGS.rows(
        user=supervisor.pk,
        today=timezone.localdate(),
        now=now,
        since=beginning_of(today - timedelta(days=1)),
        until=beginning_of(today + timedelta(days=2)),
    )
    found: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for episode, number, held_at in rows:
        found[episode].append((number, held_at))
    return found


def meets_at(course: CourseStanding, meetings: Sequence[tuple[int, datetime]]) -> datetime | None:
    """The next of these sessions: one that is rated already is over as far as a talk goes."""
    return next((held_at for number, held_at in meetings if course.marks_of(number) is None), None)


_PARTS = {
    Group.TALK: Part.NEEDS_A_TALK,
    Group.STAYS_LOW: Part.STAYS_LOW,
    Group.BACK: Part.BACK,
    Group.TALKED_TODAY: Part.TALKED_ABOUT,
    Group.PUT_OFF: Part.DEFERRED,
}


def part_of(course: CourseStanding) -> Part:
    if course.group in _PARTS:
        return _PARTS[course.group]
    if course.is_talked_about:
        return Part.TALKED_ABOUT
    if course.is_deferred:
        return Part.DEFERRED
    return Part.GAP if caseload_rows.gap(course) else Part.OTHER


class _Placed(NamedTuple):
    """One client with what a row of the page shows of them. beside: by the names of BESIDE."""

    course: CourseStanding
    meets: datetime | None
    beside: dict[str, Any]
    outcome: OutcomeCell | None

    @property
    def place(self) -> tuple[bool, int, str]:
        label = self.course.episode.client.label
        return place(is_soon=self.meets is not None, below=self.course.below, label=label)


def _by_part(
    supervisor: User, now: datetime, chosen: User | None = None
) -> tuple[dict[Part, list[_Placed]], bool]:
    """Every part of the page, in its order, and whether anywhere an answer waits that somebody has to look at."""
    meetings = _meetings(supervisor, now)
    found: dict[Part, list[_Placed]] = {part: [] for part in Part}
    stored = course_standings.of_rows(_courses_of(supervisor, chosen), now, beside=(*BESIDE, *CLINIC))
    read = [(course.in_supervision, beside) for course, beside in stored]
    in_clinic = [beside for _, beside in read]
    in_use = bool(read) and waiting.is_any(in_clinic, waiting.ANY_OUTCOME)
    doing = outcomes.read([course for course, _ in read], now, Door.SUPERVISOR) if in_use else {}
    for course, beside in read:
        if "part" not in course.kept:
            course.kept["part"] = part_of(course)
        meets, outcome = meets_at(course, meetings.get(course.episode.pk, ())), doing.get(course.episode.pk)
        shown = {name: beside[name] for name in BESIDE}
        part = _part_with_outcome(course.kept["part"], outcome)
        found[part].append(_Placed(course, meets, shown, outcome))
    for part in (Part.NEEDS_A_TALK, Part.STAYS_LOW, Part.BACK):
        found[part].sort(key=lambda one: one.place)
    return found, waiting.is_any(in_clinic, waiting.ANY_RISK)


def _part_with_outcome(part: Part, outcome: OutcomeCell | None) -> Part:
    """Whoever is shown elsewhere stays there, with the reason; the others are not left among everyone."""
    is_quiet = part in {Part.GAP, Part.OTHER}
    return Part.NOT_IMPROVING if is_quiet and outcome is not None and outcome.is_reason else part


def _kept_row(one: _Placed) -> ClientRow:
    """The row with what was drawn of it, kept with the course as long as all that it shows is the same."""
    course, key = one.course, ("caseload", one.meets, *one.beside.values(), one.outcome)
    row = course.kept.get(key)
    if row is None:
        row = caseload_rows.client_row(course, one.meets, **one.beside, outcome=one.outcome)
        course.kept[key] = row
    found: ClientRow = row
    return found


BESIDE = ("asides", "helped", "asked")
CLINIC = (waiting.ANY_RISK, waiting.ANY_OUTCOME)


def _written_courses(user: UUID, today: date, now: datetime) -> QuerySet[Episode, tuple[Any, ...]]:
    """Each with what the rows show beside the standing, by the names of BESIDE.

    `asides`: sets of marks nobody decided about; `helped`: the answer about the agreement; `asked`: questions that
    supervisors left and nobody answered.
    """
    answers = FollowUp.objects.standing().filter(discussion=OuterRef("standing__agreement"))
    episodes = Episode.objects.open().filter(therapist__in=supervisees_on(user=user, today=today, now=now))
    episodes = episodes.annotate(
        asides=set_aside.count_of(OuterRef("pk")),
        helped=Subquery(answers.values("answer")[:1]),
        asked=count_of_open(OuterRef("pk")),
        **{name: column for name, column in waiting.in_the_clinic().items() if name in CLINIC},
    )
    return course_standings.columns(episodes, "client__label_key", "pk", beside=(*BESIDE, *CLINIC))


def _written_courses_of_one(
    user: UUID, today: date, now: datetime, therapist: UUID
) -> QuerySet[Episode, tuple[Any, ...]]:
    return _written_courses(user, today, now).filter(therapist=therapist)


_COURSES = PreparedValues(_written_courses, user=UUID, today=date, now=datetime)
_COURSES_OF_ONE = PreparedValues(_written_courses_of_one, user=UUID, today=date, now=datetime, therapist=UUID)


def _courses_of(supervisor: User, chosen: User | None) -> list[tuple[Any, ...]]:
    """The open ones among `Episode.objects.supervised_by(supervisor)`, or those of one therapist among them."""
    if not (supervisor.is_active and supervisor.is_supervisor):
        return []
    today = timezone.localdate()
    if chosen:
        return _COURSES_OF_ONE.rows(user=supervisor.pk, today=today, now=timezone.now(), therapist=chosen.pk)
    return _COURSES.rows(user=supervisor.pk, today=today, now=timezone.now())


# --- How feedback is collected and used -----------------------------------------------------------------


def _measures(
    supervisees: Iterable[User], courses: list[CourseStanding], chance: Chance, now: datetime
) -> Iterable[SuperviseeRow]:
    measures = process_measures.read(supervisees, now)
    for person in supervisees:
        own = [course for course in courses if course.episode.therapist_id == person.pk]
        of = measures[person.pk]
        yield SuperviseeRow(
            name=str(person),
            active=str(len(own)),
            open_flags=_open_in_words(own, now),
            overdue=str(sum(len(course.overdue) for course in own)),
            shares=process_figures.rows_of(of, chance.table),
        )


def _open_in_words(courses: list[CourseStanding], now: datetime) -> str:
    first = [caseload_rows.oldest(course.calls) for course in courses if course.calls]
    if not first:
        return "0"
    oldest = caseload_rows.age(min(first, key=lambda session: session.held_at), now)
    return f"{sum(len(course.calls) for course in courses)} (the oldest: {oldest})"
