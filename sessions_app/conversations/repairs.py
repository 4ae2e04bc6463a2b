"""Ruptures and repairs of stored courses: rows in, conclusions of the pure rules out."""

from collections.abc import Collection, Sequence
from datetime import datetime

from alliance.measurement.false_alarms import RETURNED_BY_CHANCE
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import RepairState, Rupture, ruptures
from sessions_app.flags.course import RatedSession, as_course_session

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
