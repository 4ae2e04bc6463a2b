"""The therapist's day: whom to talk to first, today's sessions, ratings still to come, everyone else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from alliance.measurement.scoring import one_decimal
from alliance.models import User
from alliance.prepared import Prepared
from clients.models import Episode
from sessions_app.conversations import asking, repairs
from sessions_app.corrections import set_aside
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.courses.rating_state import RatingState, awaited, state_of, with_waits
from sessions_app.dashboards import course_standings, late_arrivals
from sessions_app.dashboards.course_standings import CourseStanding, Place
from sessions_app.flags import chance_returns, reasons
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.facts import beginning_of
from sessions_app.flags.low_points import LowPoint
from sessions_app.flags.models import Discussion, Flag

# Who has not said by then whether a session took place is asked on the client's page alone.
SHOWN_FOR = timedelta(days=14)
HAS_MARKS = frozenset({RatingState.RATED, RatingState.PARTLY, RatingState.NOTHING_MARKED})
NOTHING_TO_DO = frozenset(
    {
        RatingState.RATED,
        RatingState.PARTLY,  # it came; what the client left out does not come any more
        RatingState.NOTHING_MARKED,
        RatingState.CANCELLED,
        RatingState.DID_NOT_ATTEND,
        RatingState.DECLINED,
        RatingState.NOT_RATED,
    }
)


@dataclass(frozen=True)
class Row:
    """One client of the therapist: the stored standing, and when they meet next."""

    course: CourseStanding
    today: date
    next_session: TherapySession | None
    is_covered: bool = False  # another therapist's, whom the reader covers

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
    def last_total(self) -> str:
        total = self.course.last_total
        return "" if total is None else one_decimal(total)

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
    def first_reason(self) -> Flag:
        return reasons.one_a_rule(self.flags)[0]

    @cached_property
    def other_reasons(self) -> list[Flag]:
        return reasons.one_a_rule(self.flags)[1:]

    @cached_property
    def reasons_put_off(self) -> list[Flag]:
        return reasons.one_a_rule(self.put_off)

    @property
    def behind(self) -> list[Flag]:
        """What stands behind the first reason: the others, then what is put off and what is quiet."""
        said = {flag.rule for flag in self.flags}
        quiet = [flag for flag in (*self.put_off, *self.badges) if flag.rule not in said]
        return self.other_reasons + reasons.one_a_rule(quiet)

    @property
    def rated_since(self) -> bool:
        """Whether a complete rating came after the one that is the first reason."""
        return self.last_rated is not None and self.last_rated.number > self.first_reason.session.number

    @cached_property
    def waiting_since(self) -> TherapySession:
        return reasons.waiting_since(self.flags)

    @property
    def is_today(self) -> bool:
        """Whether the talk can be today: that is when the next session is."""
        return self.next_session is not None and timezone.localdate(self.next_session.held_at) == self.today

    @cached_property
    def as_talk(self) -> SafeString:
        """The card of a client who needs a talk. No form is in it: a form holds a token of its session."""
        return render_to_string("dashboard/_talk.html", {"row": self})

    @cached_property
    def as_other(self) -> SafeString:
        """The row of a client without an open reason to talk."""
        return render_to_string("dashboard/_other.html", {"row": self})

    @cached_property
    def urgency(self) -> tuple[bool, int, datetime, str]:
        return not self.is_today, *reasons.urgency(self.flags, self.episode.client.label)


@dataclass(frozen=True)
class SessionLine:
    """One session of today, or one of the last days that is not settled, and where its rating stands."""

    session: TherapySession
    episode: Episode
    state: RatingState
    can_be_handed_over: bool

    @property
    def came_back_unfinished(self) -> bool:
        """Handed in with a line missing, or with none marked: the client may still be there to be asked."""
        return self.state in {RatingState.PARTLY, RatingState.NOTHING_MARKED}


@dataclass(frozen=True)
class WorkList:
    talks: list[Row]
    later: list[Row]  # those who would be among the talks, but for a deferral that holds
    today: list[SessionLine]
    waiting: list[SessionLine]
    others: list[Row]
    to_look_at: list[set_aside.ToLookAt]  # sessions with marks that do not count
    late: list[late_arrivals.LateArrival]  # what came after the end of a course
    not_back: str = ""  # what the sign of that name says; empty where nobody has it

    @property
    def client_codes(self) -> list[UUID]:
        shown = [row.episode.client_code for row in (*self.talks, *self.later, *self.others)]
        sessions = [*(one.session for one in self.to_look_at), *(one.session for one in self.late)]
        more = [session.client_code for session in sessions]
        return list(dict.fromkeys([*shown, *more]))

    @property
    def marks_to_look_at(self) -> int:
        return sum(one.count for one in self.to_look_at)


def build(therapist: User, now: datetime) -> WorkList:
    """Everything the first page shows, in a fixed number of queries."""
    own = Episode.objects.own(therapist).open()
    courses = [course for course, _ in course_standings.read(own, now, "client__label_key")]
    covered = [course.episode.pk for course in courses if course.episode.therapist_id != therapist.pk]
    lines = _lines(therapist, {course.episode.pk: course for course in courses}, covered, now)
    to_come = _next_sessions(lines, now)
    questions = asking.of(therapist)
    rows = [_row(course, to_come.get(course.episode.pk), questions, therapist, now) for course in courses]
    today, waiting = _session_lines(lines, now)
    talks = sorted((row for row in rows if row.flags), key=lambda row: row.urgency)
    later = [row for row in rows if row.deferral and not row.flags]
    others = [row for row in rows if not (row.flags or row.deferral)]
    to_look_at = set_aside.to_look_at(therapist, covered)
    looked_at_there = {one.session.pk for one in to_look_at}
    late = [one for one in late_arrivals.of_therapist(therapist) if one.session.pk not in looked_at_there]
    return WorkList(talks, later, today, waiting, others, to_look_at, late, _not_back(courses))


def _not_back(courses: Sequence[CourseStanding]) -> str:
    """The base rates of the sign; asked for where somebody has it."""
    course = next((one for one in courses if one.is_not_back), None)
    return repairs.not_back(chance_returns.under(course.row.settings_version).table) if course else ""


def _row(
    course: CourseStanding,
    next_session: TherapySession | None,
    questions: asking.Asking,
    reader: User,
    now: datetime,
) -> Row:
    """A row with the pieces that are drawn of it, kept with the course as long as all that it shows is the same."""
    meets = (next_session.number, next_session.held_at) if next_session else None
    is_covered = course.episode.therapist_id != reader.pk
    key = ("work list", meets, questions.key, is_covered)
    row = course.kept.get(key)
    if row is None:
        row = course.kept[key] = Row(course, timezone.localdate(now), next_session, is_covered)
        if row.flags:
            questions.prepare([row.first_reason])
    found: Row = row
    return found


def _written_lines(therapist: UUID, since: datetime, now: datetime) -> QuerySet[TherapySession]:
    own = TherapySession.objects.filter(
        episode__therapist=therapist, episode__closed_on__isnull=True, held_at__gte=since
    )
    return with_waits(own, now).order_by("held_at", "number")


_LINES = Prepared(_written_lines, therapist=UUID, since=datetime, now=datetime)


def _lines(
    therapist: User, courses: dict[int, CourseStanding], covered: Sequence[int], now: datetime
) -> list[SessionLine]:
    """The sessions of the last days and all to come, each with where its rating stands.

    One query; one more for the episodes that are covered, where any are.
    """
    lines = []
    since = now - SHOWN_FOR
    sessions = _LINES.rows(therapist=therapist.pk, since=since, now=now)
    if covered:
        theirs = with_waits(TherapySession.objects.filter(episode__in=covered, held_at__gte=since), now)
        sessions = sorted([*sessions, *theirs], key=lambda session: (session.held_at, session.number))
    for session in sessions:
        course = courses.get(session.episode_id)
        if course is None:  # opened since the courses were read
            continue
        state = state_of(
            session,
            marks=course.marks_of(session.number),
            awaits=awaited(session),
            is_declined=session.is_declined,
            now=now,
        )
        lines.append(SessionLine(session, course.episode, state, state.can_be_handed_over(session, now)))
    return lines


def _next_sessions(visits: list[SessionLine], now: datetime) -> dict[int, TherapySession]:
    """{episode: the session that is on now and not rated yet, else the next planned one}."""
    found: dict[int, TherapySession] = {}
    for visit in visits:
        comes = visit.session.attendance in (Attendance.PLANNED, Attendance.ATTENDED)
        if comes and visit.session.ends_at > now and visit.state not in HAS_MARKS:
            found.setdefault(visit.session.episode_id, visit.session)
    return found


def _session_lines(visits: list[SessionLine], now: datetime) -> tuple[list[SessionLine], list[SessionLine]]:
    """Those of today, and those before that wait for something."""
    start = beginning_of(timezone.localdate(now))
    until_tonight = [visit for visit in visits if visit.session.held_at < start + timedelta(days=1)]
    return (
        [visit for visit in until_tonight if visit.session.ends_at >= start],
        [
            visit
            for visit in until_tonight
            if visit.session.ends_at < start and visit.state not in NOTHING_TO_DO
        ],
    )
