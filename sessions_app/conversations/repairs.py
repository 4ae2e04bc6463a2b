"""Low points and repairs of stored courses: rows in, conclusions of the pure rules and their words out."""

from collections.abc import Collection, Sequence
from datetime import datetime

from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import RepairState, Rupture, ruptures
from alliance.measurement.returns import Table
from sessions_app.flags.course import RatedSession, as_course_session
from sessions_app.flags.low_points import LowPoint

WORDS = {
    RepairState.OPEN: "open",
    RepairState.DISCUSSED: "talked about",
    RepairState.STILL_LOW: "still low",
    RepairState.RECOVERING: "recovering",
    RepairState.NOT_BACK: "not back after three ratings",
    RepairState.BACK_ONCE: "back once",
    RepairState.RECOVERED: "recovered",
    RepairState.FELL_AGAIN: "fell again",
    RepairState.UNREPAIRED: "ended unrepaired",
}
AFTER_A_TALK = {
    RepairState.STILL_LOW: "still low after a talk",
    RepairState.NOT_BACK: "not back after three ratings, nor after a talk",
}


def word(low_point: Rupture | LowPoint) -> str:
    """The state of one low point in a few words; where it stays low, whether somebody talked about it."""
    if isinstance(low_point, Rupture):
        if (
            low_point.state == RepairState.RECOVERED
            and low_point.is_low_start
            and low_point.before is not None
        ):
            return "at the client’s own level"
        if low_point.state == RepairState.FELL_AGAIN and low_point.is_low_start:
            return "then fell"
        if low_point.state == RepairState.UNREPAIRED and ended_back(low_point):
            return "ended, back once"
    return (AFTER_A_TALK if low_point.stays_low_after_talk else WORDS)[low_point.state]


def ended_back(low_point: Rupture) -> bool:
    """Whether the last rating before it ended was back."""
    return low_point.ratings > 0 and low_point.latest >= low_point.goal


def of_course(
    rated: Sequence[RatedSession],
    parameters: Parameters,
    talked: Collection[int],
    *,
    is_closed: bool,
    now: datetime,
) -> list[Rupture]:
    """The low points of an episode that `course.read` has read; `talked`: numbers of the sessions talked about."""
    return ruptures(
        [as_course_session(one.session, one.rating, now) for one in rated],
        [one.findings for one in rated],
        talked,
        is_closed=is_closed,
        parameters=parameters,
    )


# --- Beside it, what chance does ---------------------------------------------------------------------


def by_chance(table: Table) -> str:
    """The comparator that stands wherever a repair is read (docs/clinical-rules.md)."""
    back, recovered = (_in_a_hundred(share) for share in (table["stable"].back, table["stable"].recovered))
    return (
        f"Most pass without a talk: in our model, of 100 low points of stable clients, {back} are back once within "
        f"three ratings by chance alone, and {recovered} recover."
    )


def rate_by_chance(table: Table) -> str:
    """The same beside a rate, which never stands without it."""
    back = _in_a_hundred(table["stable"].back)
    return f"within three ratings; in our model, stable clients reach {back} of 100 by chance alone"


def not_back(table: Table) -> str:
    """What three ratings without a return say, with both base rates: a sign is worth what they differ."""
    stable, lasting = _in_a_hundred(table["stable"].not_back), _in_a_hundred(table["fall"].not_back)
    return (
        f"In our model, {stable} of 100 low points of stable clients are not back after three ratings; where a fall of "
        f"5.0 points lasts, {lasting} of 100 are not."
    )


def _in_a_hundred(share: float) -> int:
    return round(100 * share)
