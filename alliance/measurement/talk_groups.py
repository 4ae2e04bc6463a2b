"""In which group of the lists a client stands, and in which order: whom to talk to, and about what kind of low point.

Plain Python, one answer for the therapist's work list and the supervisor's caseload. It reads a stored standing and
the day, and asks no rule. Totals in whole tenths.
"""

from dataclasses import dataclass
from enum import IntEnum

from alliance.measurement.repairs import STAYS_LOW, RepairState

IS_BACK = frozenset({RepairState.BACK_ONCE, RepairState.RECOVERED})


class Group(IntEnum):
    """In the order in which the lists show them. The recovered never lead."""

    TALK = 1  # something calls for a talk, and nobody talked about it
    STAYS_LOW = 2  # somebody talked, and the ratings that came since are no better
    BACK = 3  # it would call, and the latest rating is back: nobody knows why, ask briefly
    TALKED_TODAY = 4  # the talk was today; shown until the day is over
    PUT_OFF = 5
    OTHER = 6


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides the group.

    calls: whether something calls for a talk now. state: of the last low point, None where there was none.
    goal: of that low point; back is a rating at or above it. total: the last complete one. ratings_since_talk:
    complete ratings that came after the last talk about that low point, 0 where there was none. talked_today: whether
    the last talk was today. is_put_off: a decision not to talk holds. is_not_needed: it was decided since the last
    rating that no talk is needed.
    """

    calls: bool
    state: RepairState | None = None
    goal: int = 0
    total: int | None = None
    ratings_since_talk: int = 0
    talked_today: bool = False
    is_put_off: bool = False
    is_not_needed: bool = False

    @property
    def is_back(self) -> bool:
        """The last rating is back. One that recovered and is lower again since, without a new call, is not."""
        return self.state in IS_BACK and self.total is not None and self.total >= self.goal

    @property
    def stays_low(self) -> bool:
        return self.state in STAYS_LOW and self.ratings_since_talk > 0


def group_of(situation: Situation) -> Group:
    """What calls anew stands before what was talked about: nobody has talked about that yet."""
    if situation.calls:
        return Group.BACK if situation.is_back else Group.TALK
    if situation.is_put_off:
        return Group.PUT_OFF
    if situation.stays_low and not situation.is_not_needed:
        return Group.STAYS_LOW
    return Group.TALKED_TODAY if situation.talked_today else Group.OTHER


def place(*, is_soon: bool, below: int, label: str) -> tuple[bool, int, str]:
    """A sort key within a group: those seen today or tomorrow first, then who is furthest below the own level now."""
    return not is_soon, -below, label
