"""A supervisor's caseload: who needs a talk first and why, and whether feedback is collected and used.

A fixed number of queries whatever the size, and every figure formatted here once: templates that
format cost more than the queries. Clients' comments are never read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from alliance.days import day
from alliance.measurement import instruments
from alliance.measurement.flag_rules import RULES, STRENGTH
from alliance.measurement.scoring import points
from alliance.models import User
from clients.models import Episode, Supervision
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.corrections import set_aside
from sessions_app.courses.models import TherapySession
from sessions_app.dashboards import course_standings, process_figures
from sessions_app.dashboards.course_standings import CourseStanding, Place
from sessions_app.dashboards.process_figures import ShareRow
from sessions_app.flags import process_measures, reasons
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Flag
from sessions_app.instruments import rule_settings
from sessions_app.instruments.rule_settings import RuleSettings

CALLING = ("A+", "C", "D", "E", "H")  # the kinds of finding that call for a talk


class Part(Enum):
    """The one part of the page where a client is shown."""

    NEEDS_A_TALK = auto()
    TALKED_ABOUT = auto()
    DEFERRED = auto()
    GAP = auto()
    OTHER = auto()


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
    url: str
    label: str
    therapist: str
    reasons: tuple[Reason, ...]  # the strongest first
    waits: str
    agreed: str
    agreed_on: str
    helped: str  # what was answered when it was asked whether that helped; empty where nothing was
    deferred: str  # what was decided instead of a talk, by whom and why; empty where nothing was
    last_total: str
    of: str  # the highest total there is
    last_where: str
    sparkline: SafeString
    gap: str  # what is missing, as a sentence; empty where nothing is
    set_aside: str  # how many sets of marks the therapist has to decide about; empty where none

    @cached_property
    def as_waiting(self) -> SafeString:
        """The card of a client who needs a talk."""
        return render_to_string("caseload/_client.html", {"row": self})

    @cached_property
    def as_quiet(self) -> SafeString:
        """The row of any other client."""
        return render_to_string("caseload/_quiet_client.html", {"row": self})


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
    talked_about: tuple[ClientRow, ...]
    deferred: tuple[ClientRow, ...]
    gaps: tuple[ClientRow, ...]
    others: tuple[ClientRow, ...]
    measures: tuple[SuperviseeRow, ...]
    in_use: frozenset[str]  # the rules

    @property
    def order(self) -> str:
        """How the list is ordered, in the order the rules themselves have."""
        kinds = (kind for kind in STRENGTH if kind in CALLING and kind[0] in self.in_use)
        calling = (RULES[kind[0]].name.lower() for kind in kinds)
        return (
            f"Strongest reason first ({', '.join(calling)}), then whoever has waited longest. "
            "It is an order of reasons, never of people."
        )

    @property
    def client_codes(self) -> list[UUID]:
        return [
            row.client
            for part in (self.needs_a_talk, self.talked_about, self.deferred, self.gaps, self.others)
            for row in part
        ]

    @property
    def clients(self) -> int:
        return len(self.client_codes)


def read(supervisor: User, now: datetime, therapist: str | None = None) -> Caseload:
    """All that the page shows of the therapists `supervisor` supervises today, or of one of them.

    `therapist` is what a link carried; one that names none of the supervisees is ignored.
    """
    supervisees = tuple(supervisees_of(supervisor))
    chosen = next((one for one in supervisees if one.pk == _code(therapist)), None)
    episodes = Episode.objects.supervised_by(supervisor)
    if chosen:
        episodes = episodes.filter(therapist=chosen)
    rules = rule_settings.in_force()
    open_now = with_beside(episodes.open())
    read = course_standings.read(open_now, now, "client__label_key", "pk", beside=("asides", "helped"))
    courses = [course for course, _ in read]
    rows = _by_part(read)
    return Caseload(
        supervisees=supervisees,
        chosen=chosen,
        needs_a_talk=rows[Part.NEEDS_A_TALK],
        talked_about=rows[Part.TALKED_ABOUT],
        deferred=rows[Part.DEFERRED],
        gaps=rows[Part.GAP],
        others=rows[Part.OTHER],
        measures=tuple(_measures((chosen,) if chosen else supervisees, courses, now)),
        in_use=_in_use(rules, courses),
    )


def _in_use(rules: RuleSettings, courses: Iterable[CourseStanding]) -> frozenset[str]:
    """The rules that are on, and those that still put somebody on the list."""
    on = rules.parameters(instruments.get(instruments.SESSION_RATING)).enabled
    return on | {flag.rule for course in courses for flag in course.calls}


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


def urgency(course: CourseStanding) -> tuple[int, datetime, str]:
    return reasons.urgency(course.calls, course.episode.client.label)


def _oldest(flags: Sequence[Flag]) -> TherapySession:
    return min((flag.session for flag in flags), key=lambda session: session.number)


def part_of(course: CourseStanding) -> Part:
    if course.calls:
        return Part.NEEDS_A_TALK
    if course.is_talked_about:
        return Part.TALKED_ABOUT
    if course.is_deferred:
        return Part.DEFERRED
    return Part.GAP if _gap(course) else Part.OTHER


def _by_part(courses: Iterable[tuple[CourseStanding, dict[str, Any]]]) -> dict[Part, tuple[ClientRow, ...]]:
    found: dict[Part, list[tuple[CourseStanding, ClientRow]]] = defaultdict(list)
    for course, beside in courses:
        if "part" not in course.kept:
            course.kept["part"] = part_of(course)
        found[course.kept["part"]].append((course, _kept_row(course, **beside)))
    found[Part.NEEDS_A_TALK].sort(key=lambda pair: urgency(pair[0]))
    return {part: tuple(row for _, row in found[part]) for part in Part}


def _kept_row(course: CourseStanding, asides: int | None, helped: str | None) -> ClientRow:
    """The row with what was drawn of it, kept with the course as long as all that it shows is the same."""
    key = ("caseload", asides, helped)
    row = course.kept.get(key)
    if row is None:
        row = course.kept[key] = _client_row(course, asides, helped)
    found: ClientRow = row
    return found


# --- In words ----------------------------------------------------------------------------------------


def with_beside(episodes: QuerySet[Episode]) -> QuerySet[Episode]:
    """Each with `asides`: sets of marks nobody decided about, and `helped`: the answer about the agreement."""
    answers = FollowUp.objects.standing().filter(discussion=OuterRef("standing__agreement"))
    return episodes.annotate(
        asides=set_aside.count_of(OuterRef("pk")), helped=Subquery(answers.values("answer")[:1])
    )


def _client_row(course: CourseStanding, asides: int | None, helped: str | None) -> ClientRow:
    rated, agreed, now = course.last_rated, course.agreement, course.now
    return ClientRow(
        client=course.episode.client_code,
        url=reverse("caseload:client", args=[course.episode.code]),
        label=course.episode.client.label,
        therapist=str(course.episode.therapist),
        reasons=tuple(_reasons(course, now)),
        waits=_since(reasons.waiting_since(course.calls), now) if course.calls else "",
        agreed=agreed.agreed if agreed else "",
        agreed_on=_day(agreed.discussed_at, now) if agreed else "",
        helped=FollowUp.Answer(helped).label if helped else "",
        deferred=_deferred(course.deferral, now) if course.deferral else "",
        last_total="" if course.last_total is None else points(course.last_total),
        of=points(course.maximum),
        last_where=_where(rated, now) if rated else "",
        sparkline=course.sparkline,
        gap=_gap(course),
        set_aside=f"Marks set aside: {asides}" if asides else "",
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
    first = _oldest([one for one in calls if one.rule == flag.rule])
    return "" if first == flag.session else f"; first in session {first.number}, {_age(first, now)}"


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


def _gap(course: CourseStanding) -> str:
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
    return f"waiting since session {session.number}, {_age(session, now)}"


def _age(session: TherapySession, now: datetime) -> str:
    days = (timezone.localdate(now) - timezone.localdate(session.held_at)).days
    return _counted(days, "day") if days else "today"


def _day(moment: datetime, now: datetime) -> str:
    return day(moment, today=timezone.localdate(now))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


# --- How feedback is collected and used -----------------------------------------------------------------


def _measures(
    supervisees: Iterable[User], courses: list[CourseStanding], now: datetime
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
            shares=process_figures.rows_of(of),
        )


def _open_in_words(courses: list[CourseStanding], now: datetime) -> str:
    waiting = [_oldest(course.calls) for course in courses if course.calls]
    if not waiting:
        return "0"
    oldest = _age(min(waiting, key=lambda session: session.held_at), now)
    return f"{sum(len(course.calls) for course in courses)} (the oldest: {oldest})"
