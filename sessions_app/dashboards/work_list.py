"""The therapist's first screen: whom to talk to, who stays low although they talked, who is back, and all clients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from alliance.measurement.questions import Way
from alliance.measurement.talk_groups import Group, place
from alliance.models import User
from alliance.prepared import PreparedValues
from clients.models import READABLE_FOR, Episode, own_courses
from sessions_app.conversations import asking, repairs
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.corrections import set_aside
from sessions_app.courses.models import TherapySession
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.dashboards import client_table, course_standings, late_arrivals, session_lines, spoken_line
from sessions_app.dashboards.client_table import Show, TableRow
from sessions_app.dashboards.course_standings import CourseStanding, Place
from sessions_app.dashboards.session_lines import SessionLine
from sessions_app.dashboards.spoken_line import SpokenLine
from sessions_app.flags import chance_returns, reasons
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.low_points import LowPoint
from sessions_app.flags.models import Discussion, Flag
from sessions_app.questionnaires import waiting
from sessions_app.questionnaires.risk_answers import RiskAnswer
from sessions_app.supervision.questions import count_of_open

CLINIC = (waiting.ANY_RISK, waiting.ANY_HELD)
BESIDE = ("helped", "asked", *CLINIC)


@dataclass(frozen=True)
class Row:
    """One client of the therapist: the stored standing, and when they meet next."""

    course: CourseStanding
    today: date
    next_session: TherapySession | None
    questions: asking.Asking
    helped: str | None = None
    is_covered: bool = False  # another therapist's, whom the reader covers
    asked: int = 0  # questions of supervisors that wait for an answer

    @property
    def episode(self) -> Episode:
        return self.course.episode

    @property
    def flags(self) -> list[Flag]:
        """All that call for a talk, the strongest first."""
        return self.course.calls

    @property
    def put_off(self) -> list[Flag]:
        """All that would, but for a deferral."""
        return self.course.put_off

    @property
    def badges(self) -> list[Flag]:
        return self.course.quiet_at_last

    @property
    def last_rated(self) -> Place | None:
        return self.course.last_rated

    @property
    def low_point(self) -> LowPoint | None:
        """The one that goes on, where the lists say a word of it."""
        return self.course.low_point if self.course.low_point_word else None

    @property
    def low_point_word(self) -> str:
        return self.course.low_point_word

    @property
    def may_note_a_talk(self) -> bool:
        """Whether the client's page has a form for it: for an open flag, or a low point that stays."""
        return bool(self.flags or self.badges) or self.course.group == Group.STAYS_LOW

    @property
    def sparkline(self) -> SafeString:
        return self.course.sparkline

    @property
    def discussion(self) -> Discussion | None:
        return self.course.talk

    @property
    def deferral(self) -> Deferral | None:
        """The one that holds."""
        return self.course.holding if self.put_off else None

    @cached_property
    def says(self) -> SpokenLine:
        """Therapists read what their clients write."""
        return spoken_line.spoken(self.course, helped=self.helped, reads_comments=True)

    @cached_property
    def ways(self) -> list[Way]:
        return list(spoken_line.question(self.course, self.questions))

    @cached_property
    def reasons_put_off(self) -> list[Flag]:
        return reasons.one_a_rule(self.put_off)

    @cached_property
    def behind(self) -> list[Flag]:
        """Every reason, the strongest first, then what is put off and what is quiet."""
        said = {flag.rule for flag in self.flags}
        quiet = [flag for flag in (*self.put_off, *self.badges) if flag.rule not in said]
        return reasons.one_a_rule(self.flags) + reasons.one_a_rule(quiet)

    @property
    def meets_in(self) -> int | None:
        """Days until the next session, 0 for today; None where none is planned."""
        if self.next_session is None:
            return None
        return (timezone.localdate(self.next_session.held_at) - self.today).days

    @property
    def is_today(self) -> bool:
        """Whether the talk can be today: that is when the next session is."""
        return self.meets_in == 0

    @property
    def is_soon(self) -> bool:
        return self.meets_in in (0, 1)

    @property
    def place(self) -> tuple[bool, int, str]:
        return place(is_soon=self.is_soon, below=self.course.below, label=self.episode.client.label)

    @cached_property
    def as_first(self) -> SafeString:
        """The line of whoever comes first: its button is the one of the page that is filled."""
        return render_to_string("dashboard/_spoken.html", {"row": self, "is_first": True})

    @cached_property
    def as_line(self) -> SafeString:
        """The line of a client in a group. No form is in it: a form holds a token of its session."""
        return render_to_string("dashboard/_spoken.html", {"row": self})

    @cached_property
    def as_other(self) -> SafeString:
        """The row of a client without a session today, and none that waits for something."""
        return render_to_string("dashboard/_client_row.html", {"row": TableRow(self)})


@dataclass(frozen=True)
class WorkList:
    rows: list[Row]
    show: Show
    today: list[SessionLine]
    waiting: list[SessionLine]
    to_look_at: list[set_aside.ToLookAt]  # sessions with marks that do not count
    late: list[late_arrivals.LateArrival]  # what came after the end of a course
    not_back: str = ""  # what the sign of that name says; empty where nobody has it
    risk_answers: list[RiskAnswer] = field(default_factory=list)  # about which nobody has written anything
    held: list[QuestionnaireResponse] = field(default_factory=list)  # answers that nobody has decided about

    @cached_property
    def groups(self) -> dict[Group, list[Row]]:
        found: dict[Group, list[Row]] = {group: [] for group in Group}
        for row in self.rows:
            found[row.course.group].append(row)
        for group in (Group.TALK, Group.STAYS_LOW, Group.BACK):
            found[group].sort(key=lambda row: row.place)
        return found

    @property
    def talks(self) -> list[Row]:
        return self.groups[Group.TALK]

    @property
    def stays_low(self) -> list[Row]:
        return self.groups[Group.STAYS_LOW]

    @property
    def back(self) -> list[Row]:
        return self.groups[Group.BACK]

    @property
    def talked_today(self) -> list[Row]:
        return self.groups[Group.TALKED_TODAY]

    @property
    def later(self) -> list[Row]:
        """Those who would be among the talks, but for a deferral that holds."""
        return self.groups[Group.PUT_OFF]

    @property
    def asked(self) -> list[Row]:
        """Those at whom a supervisor left a question."""
        return [row for row in self.rows if row.asked]

    @property
    def in_order(self) -> list[Row]:
        """Every client once, as the groups lead: for the way from one client to the next."""
        return [row for group in Group for row in self.groups[group]]

    @cached_property
    def table(self) -> client_table.ClientTable:
        return client_table.of(self.rows, self.today, self.waiting, self.show)

    @property
    def client_codes(self) -> list[UUID]:
        """Everyone whom the page tells something of, for the log: also who is only counted in the table.

        Of them too it says that nothing calls. And named alone, those in the groups would be told to whoever reads the
        log, who may see no flag.
        """
        sessions = [*(one.session for one in self.to_look_at), *(one.session for one in self.late)]
        codes = [one.client_code for one in sessions]
        more = [
            *codes,
            *(one.client_code for one in self.risk_answers),
            *(one.client_code for one in self.held),
        ]
        return list(dict.fromkeys([*(row.episode.client_code for row in self.rows), *more]))

    @property
    def marks_to_look_at(self) -> int:
        return sum(one.count for one in self.to_look_at)


def build(therapist: User, now: datetime, show: str = "") -> WorkList:
    """Everything the first page shows, in a fixed number of queries. show: of the table, as a link carries it."""
    rows, lines, covered, in_clinic = _rows(therapist, now)
    today, lines_waiting = session_lines.of_today_and_waiting(lines, now)
    # Those of earlier days ask for no forms: what is for each session is not asked for afterwards, and the rest is
    # due at the next session (docs/plan-of-forms.md).
    today = session_lines.with_forms(today, now)
    to_look_at = set_aside.to_look_at(therapist, covered)
    looked_at_there = {one.session.pk for one in to_look_at}
    late = [one for one in late_arrivals.of_therapist(therapist) if one.session.pk not in looked_at_there]
    chosen = client_table.chosen(show, clients=len(rows))
    risk = waiting.risk_answers(therapist) if waiting.is_any(in_clinic, waiting.ANY_RISK) else []
    held = waiting.held(therapist) if waiting.is_any(in_clinic, waiting.ANY_HELD) else []
    return WorkList(rows, chosen, today, lines_waiting, to_look_at, late, _not_back(rows), risk, held)


def _not_back(rows: Sequence[Row]) -> str:
    """The base rates of the sign; asked for where somebody has it."""
    row = next((one for one in rows if one.course.is_not_back), None)
    version = row.course.row.settings_version if row else ""
    return repairs.not_back(chance_returns.under(version).table) if row else ""


def in_order(therapist: User, now: datetime) -> list[Episode]:
    """The clients in the order of the page."""
    rows, *_ = _rows(therapist, now)
    return [row.episode for row in WorkList(rows, Show.EVERYONE, [], [], [], []).in_order]


def _written_courses(
    user: UUID, readable_from: date, today: date, now: datetime
) -> QuerySet[Episode, tuple[Any, ...]]:
    answers = FollowUp.objects.standing().filter(discussion=OuterRef("standing__agreement"))
    keys = own_courses(user=user, readable_from=readable_from, today=today, now=now)
    own = Episode.objects.filter(pk__in=keys)
    own = own.open().annotate(
        helped=Subquery(answers.values("answer")[:1]),
        asked=count_of_open(OuterRef("pk")),
        **{name: column for name, column in waiting.in_the_clinic().items() if name in CLINIC},
    )
    return course_standings.columns(own, "client__label_key", beside=BESIDE)


_COURSES = PreparedValues(_written_courses, user=UUID, readable_from=date, today=date, now=datetime)


def _courses_of(therapist: User) -> list[tuple[Any, ...]]:
    """The open ones among `Episode.objects.own(therapist)`."""
    if not (therapist.is_active and therapist.is_therapist):
        return []
    today = timezone.localdate()
    since = today - READABLE_FOR
    return _COURSES.rows(user=therapist.pk, readable_from=since, today=today, now=timezone.now())


def _rows(
    therapist: User, now: datetime
) -> tuple[list[Row], list[SessionLine], list[int], list[Mapping[str, Any]]]:
    """The clients by their labels, the sessions of these days, which episodes are only covered, and `CLINIC`."""
    read = course_standings.of_rows(_courses_of(therapist), now, beside=BESIDE)
    courses = {course.episode.pk: course for course, _ in read}
    covered = [pk for pk, course in courses.items() if course.episode.therapist_id != therapist.pk]
    lines = session_lines.read(therapist, courses, covered, now)
    to_come = session_lines.next_sessions(lines, now)
    questions = asking.of(therapist)
    rows = [
        _row(course, to_come.get(course.episode.pk), questions, beside, therapist) for course, beside in read
    ]
    return rows, lines, covered, [beside for _, beside in read]


def _row(
    course: CourseStanding,
    next_session: TherapySession | None,
    questions: asking.Asking,
    beside: Mapping[str, Any],
    reader: User,
) -> Row:
    """A row with the pieces that are drawn of it, kept with the course as long as all that it shows is the same."""
    meets = (next_session.number, next_session.held_at) if next_session else None
    is_covered = course.episode.therapist_id != reader.pk
    # Who covers does not read what is said in supervision.
    helped, asked = beside["helped"], 0 if is_covered else beside["asked"] or 0
    key = ("work list", meets, questions.key, helped, asked, is_covered)
    row = course.kept.get(key)
    if row is None:
        today = timezone.localdate(course.now)
        row = course.kept[key] = Row(course, today, next_session, questions, helped, is_covered, asked)
    found: Row = row
    return found
