"""A group over its sessions: how far its members' marks lie apart, where the group goes, who falls away from it.

Totals in whole tenths. No published rule tells who falls away from a therapy group on a session scale: what stands
here is **our own, provisional, statistical and not validated**, wherever it is shown. It adds nothing to the flags:
a member's own course is judged by the flag rules alone (`flag_rules`), and what is said here only puts it beside the
others: does one person fall, or the whole group?
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from alliance.measurement.own_level import own_level
from alliance.measurement.parameters import Parameters

# Own, provisional. A change of the group's median by less than this is as good as none: half of what one line of four
# is marked differently from session to session by a client who has not changed.
DRIFT_FROM = 20
SESSIONS_EACH = 3  # so many sessions are compared with as many before them
A_FALL = 10  # one point: less is no fall, as in `course_answer`
FEWEST_OTHERS = 2  # of whom a level is known, before anything is said about "the others"


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the totals of one session: how many, the one in the middle, and the two ends."""

    count: int
    median: int
    lowest: int
    highest: int

    @property
    def range(self) -> int:
        return self.highest - self.lowest


def spread(totals: Sequence[int]) -> Spread | None:
    """None where nobody's total is known."""
    if not totals:
        return None
    return Spread(len(totals), _nearest(median(totals)), min(totals), max(totals))


def median(values: Sequence[int | Fraction]) -> Fraction:
    """The middle one; of an even number the mean of the middle two. values: at least one."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[half])
    return Fraction(ordered[half - 1] + ordered[half]) / 2


def _nearest(tenths: Fraction) -> int:
    """To a whole tenth, a half upwards."""
    return (2 * tenths.numerator + tenths.denominator) // (2 * tenths.denominator)


# --- Where the group goes ------------------------------------------------------------------------


class Drift(StrEnum):
    TOO_FEW = "too few"
    LOWER = "lower"
    HIGHER = "higher"
    SAME = "about the same"


@dataclass(frozen=True, slots=True)
class GroupDrift:
    """The median of the last sessions' medians, that of as many before, and which way it went."""

    kind: Drift
    before: int | None = None
    now: int | None = None


def drift(medians: Sequence[int | None]) -> GroupDrift:
    """medians: of each session of the group, in their order; None where nobody rated it."""
    known = [one for one in medians if one is not None]
    if len(known) < 2 * SESSIONS_EACH:
        return GroupDrift(Drift.TOO_FEW)
    now = _nearest(median(known[-SESSIONS_EACH:]))
    before = _nearest(median(known[-2 * SESSIONS_EACH : -SESSIONS_EACH]))
    if abs(now - before) < DRIFT_FROM:
        return GroupDrift(Drift.SAME, before, now)
    return GroupDrift(Drift.HIGHER if now > before else Drift.LOWER, before, now)


# --- Who falls away ------------------------------------------------------------------------------


class Place(StrEnum):
    """Where a member stands beside the others."""

    UNKNOWN = "unknown"  # too few ratings of their own
    AS_USUAL = "as usual"
    AWAY = "falls away"  # they fall, and the others do not
    WITH_THE_GROUP = "with the group"  # they fall, and the others do too
    FALLS = "falls"  # they fall, and of too few others a level is known


@dataclass(frozen=True, slots=True)
class MemberCourse:
    """A member's totals of the group's sessions, in their order, and whether a flag of one of them is open."""

    totals: Sequence[int]
    is_flagged: bool = False


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """level: the member's own, before their last ratings; fall: how far these lie below it (less than 0: above).

    others: the median of the falls of the other members of whom a level is known; None where they are too few.
    """

    place: Place
    level: int | None = None
    fall: int | None = None
    others: int | None = None


def places(courses: Mapping[int, MemberCourse], parameters: Parameters) -> dict[int, MemberPlace]:
    """Where each member stands. A member falls by the same rules as everybody: an open flag, or a fall below their own
    level that lies outside what is expected of 95 of 100 (`own_level`).

    They fall *away* where the others, in the middle, fall by less than half as much. courses: by the member's number.
    """
    levels = {key: own_level(course.totals, parameters) for key, course in courses.items()}
    found: dict[int, MemberPlace] = {}
    for key, course in courses.items():
        level = levels[key]
        rest = [other.fall for one, other in levels.items() if one != key and other is not None]
        others = median(rest) if len(rest) >= FEWEST_OTHERS else None
        is_lower = level is not None and level.is_sure and level.fall >= A_FALL
        if not (course.is_flagged or is_lower):
            place = Place.AS_USUAL if level is not None else Place.UNKNOWN
        elif others is None:
            place = Place.FALLS
        elif level is None:
            place = Place.WITH_THE_GROUP if others >= A_FALL else Place.AWAY
        else:
            place = Place.AWAY if 2 * others < max(level.fall, Fraction(A_FALL)) else Place.WITH_THE_GROUP
        found[key] = MemberPlace(
            place,
            level=None if level is None else _nearest(level.mean),
            fall=None if level is None else _nearest(level.fall),
            others=None if others is None else _nearest(others),
        )
    return found
