"""One client on a supervisor's caseload, in words: every figure formatted here once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from alliance.days import day, near_day
from alliance.measurement.scoring import points, scale_end
from sessions_app.courses.models import TherapySession
from sessions_app.dashboards import spoken_line
from sessions_app.dashboards.course_standings import CourseStanding, Place
from sessions_app.dashboards.outcomes import OutcomeCell
from sessions_app.dashboards.spoken_line import SpokenLine
from sessions_app.flags import reasons
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.low_points import LowPoint
from sessions_app.flags.models import Flag


@dataclass(frozen=True, slots=True)
class Reason:
    """One flag, as said to the supervisor. `state` is "continuing", "put off", "no talk needed" or empty."""

    rule: str
    word: str
    sentence: str
    where: str
    state: str


@dataclass(frozen=True)
class ClientRow:
    """One client of a supervisee; every figure as text."""

    client: UUID
    episode: UUID
    url: str
    label: str
    therapist: str
    says: SpokenLine
    meets: str  # when therapist and client meet, if it is today or tomorrow
    reasons: tuple[Reason, ...]  # the strongest first
    waits: str
    deferred: str  # what was decided instead of a talk, by whom and why; empty where nothing was
    last_total: str
    of: str  # the highest total there is
    last_where: str
    sparkline: SafeString
    gap: str  # what is missing, as a sentence; empty where nothing is
    low_point: LowPoint | None  # the one that goes on, where there is a word to say of it
    low_point_word: str
    set_aside: str  # how many sets of marks the therapist has to decide about; empty where none
    asked: int  # questions of supervisors that nobody answered
    outcome: OutcomeCell | None = None  # where the client marks an outcome scale
    withheld: bool = False  # marks were promised to be the therapist's alone, so nothing of them is said

    @property
    def agreed(self) -> str:
        return self.says.agreed

    @property
    def agreed_on(self) -> str:
        return self.says.agreed_on

    @property
    def helped(self) -> str:
        """What was answered when it was asked whether that helped; empty where nothing was."""
        return self.says.helped

    @cached_property
    def as_waiting(self) -> SafeString:
        """The line of a client in one of the groups."""
        return render_to_string("caseload/_client.html", {"row": self})

    @cached_property
    def as_quiet(self) -> SafeString:
        """The row of any other client."""
        return render_to_string("caseload/_quiet_client.html", {"row": self})


def oldest(flags: Sequence[Flag]) -> TherapySession:
    return min((flag.session for flag in flags), key=lambda session: session.number)


def client_row(
    course: CourseStanding,
    meets: datetime | None,
    asides: int | None,
    helped: str | None,
    asked: int | None,
    outcome: OutcomeCell | None = None,
) -> ClientRow:
    rated, now = course.last_rated, course.now
    return ClientRow(
        client=course.episode.client_code,
        episode=course.episode.code,
        url=reverse("caseload:client", args=[course.episode.code]),
        label=course.episode.client.label,
        therapist=str(course.episode.therapist),
        says=spoken_line.spoken(course, helped=helped, reads_comments=False),
        meets=f"{near_day(meets)} at {timezone.localtime(meets):%H:%M}" if meets else "",
        reasons=tuple(_reasons(course, now)),
        waits=_since(reasons.waiting_since(course.calls), now) if course.calls else "",
        deferred=_deferred(course.deferral, now) if course.deferral else "",
        last_total="" if course.last_total is None else points(course.last_total),
        of=scale_end(course.maximum),
        last_where=_where(rated, now) if rated else "",
        sparkline=course.sparkline,
        gap=gap(course),
        low_point=course.low_point if course.low_point_word else None,
        low_point_word=course.low_point_word,
        set_aside=f"Marks set aside: {asides}" if asides else "",
        asked=asked or 0,
        outcome=outcome,
        withheld=course.is_withheld,
    )


def _reasons(course: CourseStanding, now: datetime) -> Iterable[Reason]:
    """The newest flag of each rule, what calls for a talk before what is quiet. Rule G is a gap, no reason."""
    quiet = (flag for flag in course.flags if not flag.calls and flag.rule != "G")
    calling = reasons.one_a_rule(course.calls)
    said = {flag.rule for flag in calling}
    for flag in (*calling, *(one for one in reasons.one_a_rule(quiet) if one.rule not in said)):
        where = _where(flag.session, now)
        if flag in calling[1:]:  # the strongest says itself since when it waits
            where += _first(flag, course.calls, now)
        yield Reason(flag.rule, flag.word, flag.sentence, where, _state(flag))


def _first(flag: Flag, calls: Sequence[Flag], now: datetime) -> str:
    """Since when its rule waits, where that is longer: no open flag is older than what the page says."""
    first = oldest([one for one in calls if one.rule == flag.rule])
    return "" if first == flag.session else f"; first in session {first.number}, {age(first, now)}"


def _state(flag: Flag) -> str:
    if flag.is_put_off or flag.is_not_needed:
        return "put off" if flag.is_put_off else "no talk needed"
    return "continuing" if flag.rule == "A" and not flag.is_new and not flag.calls else ""


def _deferred(deferral: Deferral, now: datetime) -> str:
    """`deferral`: the last decision; one that is over says what was tried."""
    said = deferral.get_kind_display()
    if deferral.kind == Deferral.Kind.LATER and not deferral.holds:
        said = "Was put off"
    return f"{said}: “{deferral.why}” ({deferral.deferred_by}, {_day(deferral.deferred_at, now)})"


def gap(course: CourseStanding) -> str:
    overdue = course.overdue
    numbers = " and ".join(str(session.number) for session in overdue)
    parts = [flag.sentence for flag in course.flags if flag.rule == "G"]
    if overdue:
        which = f"session {numbers}" if len(overdue) == 1 else f"sessions {numbers}"
        parts.append(f"{_counted(len(overdue), 'rating')} overdue ({which}).")
    return " ".join(parts)


def _where(session: TherapySession | Place, now: datetime) -> str:
    return f"Session {session.number}, {_day(session.held_at, now)}"


def _since(session: TherapySession, now: datetime) -> str:
    return f"waiting since session {session.number}, {age(session, now)}"


def age(session: TherapySession, now: datetime) -> str:
    days = (timezone.localdate(now) - timezone.localdate(session.held_at)).days
    return _counted(days, "day") if days else "today"


def _day(moment: datetime, now: datetime) -> str:
    return day(moment, today=timezone.localdate(now))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
