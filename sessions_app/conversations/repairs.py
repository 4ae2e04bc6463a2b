"""Ruptures and repairs of stored courses: rows in, conclusions of the pure rules out."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from alliance.measurement import instruments
from alliance.measurement.false_alarms import RETURNED_BY_CHANCE
from alliance.measurement.flag_rules import Finding
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from alliance.measurement.process import Share
from alliance.measurement.repairs import RepairState, Rupture, returned, ruptures
from alliance.measurement.trends import CourseSession
from clients.models import Episode
from sessions_app.courses.models import Rating, series_of
from sessions_app.flags.course import RatedSession, as_course_session
from sessions_app.flags.models import Flag
from sessions_app.flags.process_measures import MEASURED_OVER
from sessions_app.instruments.rule_settings import RuleSettings

WORDS = {
    RepairState.OPEN: "open",
    RepairState.DISCUSSED: "talked about",
    RepairState.RECOVERING: "recovering",
    RepairState.RECOVERED: "recovered",
    RepairState.UNREPAIRED: "ended unrepaired",
}


def by_chance() -> str:
    """The comparator that stands wherever a repair is read (docs/clinical-rules.md)."""
    return (
        f"Most pass by themselves: of 100 low points of stable clients, {_in_a_hundred()} are back within three "
        "ratings by chance."
    )


def rate_by_chance() -> str:
    """The same beside a rate, which never stands without it."""
    return f"within three ratings; with stable clients {_in_a_hundred()} of 100, by chance"


def _in_a_hundred() -> int:
    return round(100 * RETURNED_BY_CHANCE["standard"])


def of_course(
    rated: Sequence[RatedSession],
    parameters: Parameters,
    talked: Collection[int],
    *,
    is_closed: bool,
    now: datetime,
) -> list[Rupture]:
    """The ruptures of an episode that `course.read` has read; `talked`: numbers of the sessions talked about."""
    return ruptures(
        [as_course_session(one.session, one.rating, now) for one in rated],
        [one.findings for one in rated],
        talked,
        is_closed=is_closed,
        parameters=parameters,
    )


# --- The rate, for supervision -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rated:
    """One complete rating, with what `ruptures` needs of its session and episode."""

    therapist: UUID
    is_closed: bool
    session: int
    held_at: datetime
    instrument: Instrument
    course: CourseSession


def back_in_time(episodes: QuerySet[Episode], now: datetime, rules: RuleSettings) -> dict[UUID, Share]:
    """{therapist: ruptures that were back within three ratings, of those of the last 90 days that had three}.

    Two queries. Never to be shown without `by_chance`: most returns are chance.
    """
    lately = Flag.objects.standing().filter(
        on_work_list=True, session__episode__in=episodes, session__held_at__gt=now - MEASURED_OVER
    )
    touched = lately.order_by().values("session__episode")
    found = _calling(touched)
    kept: dict[UUID, list[bool]] = defaultdict(list)
    for rated in _rated(touched).values():
        kept[rated[0].therapist] += _returns(rated, found, rules, now)
    return {person: Share(sum(back), len(back)) for person, back in kept.items() if back}


def _returns(
    rated: list[_Rated], found: Mapping[int, list[Finding]], rules: RuleSettings, now: datetime
) -> list[bool]:
    sessions = [one.course for one in rated]
    concluded = ruptures(
        sessions,
        [found.get(one.session, []) for one in rated],
        (),
        is_closed=rated[0].is_closed,
        parameters=rules.parameters(rated[-1].instrument),
    )
    lately = {one.course.number for one in rated if one.held_at > now - MEASURED_OVER}
    decided = (returned(one, sessions) for one in concluded if one.began in lately)
    return [back for back in decided if back is not None]


def _calling(episodes: QuerySet[Any]) -> dict[int, list[Finding]]:
    """{session: what put the client on the work list}, whenever it was; one query."""
    found: dict[int, list[Finding]] = defaultdict(list)
    flags = Flag.objects.standing().filter(on_work_list=True, session__episode__in=episodes)
    for session, rule, is_new, evidence in flags.values_list("session", "rule", "is_new", "evidence"):
        found[session].append(Finding(rule, is_new, True, evidence))
    return found


def _rated(episodes: QuerySet[Any]) -> dict[int, list[_Rated]]:
    """{episode: its complete ratings in the order of the sessions}; one query."""
    found: dict[int, list[_Rated]] = defaultdict(list)
    rows = (
        Rating.objects.complete()
        .filter(session__episode__in=episodes)
        .order_by("session__number")
        .values_list(
            *("session__episode", "session__episode__therapist", "session__episode__closed_on", "session"),
            *("session__number", "session__held_at", "total"),
            *("instrument", "instrument_version", "wording__edition"),
        )
    )
    for episode, therapist, closed_on, session, number, held_at, total, name, version, edition in rows:
        course = CourseSession(number, {}, total, series=series_of(name, version, edition))
        instrument = instruments.get(name, version)
        found[episode].append(_Rated(therapist, closed_on is not None, session, held_at, instrument, course))
    return found
