"""How feedback is used, in counts and shares, each with its uncertainty. Nothing here knows a score."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from math import ceil, floor, sqrt
from operator import add, attrgetter

from alliance.measurement.standing import CourseEvents, FlagKey, RaisedFlag, Visit

Z_975 = 1.959964  # standard normal, .975 quantile
# Clinical.md section 5 hides means below 10 and doubts them below 30; we hold shares to the same.
RATE_FROM = 10
DEPENDABLE_FROM = 30


@dataclass(frozen=True, slots=True)
class Share:
    """`done` out of `total`. The counts may always be shown; what is made of them depends on how many they are."""

    done: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.done <= self.total:
            raise ValueError(f"{self.done} of {self.total} is no share.")

    @property
    def percent(self) -> int | None:
        """Whole per cent, a half upward; None where there are too few to speak of a rate."""
        return (200 * self.done + self.total) // (2 * self.total) if self.total >= RATE_FROM else None

    @property
    def interval(self) -> tuple[int, int] | None:
        """The 95 % interval in whole per cent, rounded outward: it never claims more than is known."""
        if self.total < RATE_FROM:
            return None
        lower, upper = wilson(self.done, self.total)
        return floor(100 * lower), ceil(100 * upper)

    @property
    def is_dependable(self) -> bool:
        return self.total >= DEPENDABLE_FROM


def wilson(done: int, total: int, z: float = Z_975) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927).

    It stays inside 0 to 1 and means something at 0 and at all, where the textbook interval has no width.
    Of nothing at all, nothing is known: 0 to 1.
    """
    if total == 0:
        return 0.0, 1.0
    share, weight = done / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(share * (1 - share) / total + weight / (4 * total))
    # At both ends the exact answer is the end itself; floats miss it by a hair.
    return (0.0 if done == 0 else middle - half), (1.0 if done == total else middle + half)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of one day; a session and its flags count on the day on which they are due.

    attended: sessions; rated: of those, with a complete rating; missed: sessions to which the client did not come.
    flags: raised as a reason to talk, whose next session is over; talked: of those, talked about by 24 hours after
    that session; not_needed: of those never talked about, decided to need no talk.
    low_points: ruptures since which three ratings came, on the day of the session with which they began; back: of
    those, recovered by the third.
    """

    attended: int = 0
    rated: int = 0
    missed: int = 0
    flags: int = 0
    talked: int = 0
    not_needed: int = 0
    low_points: int = 0
    back: int = 0

    def __add__(self, other: "DayCounts") -> "DayCounts":
        return DayCounts(*map(add, _COUNTS(self), _COUNTS(other)))


# `astuple` copies deeply, and was a fifth of what it takes to conclude a course.
_COUNTS = attrgetter(*(field.name for field in fields(DayCounts)))


def day_counts(events: CourseEvents, low_points: Iterable[tuple[int, bool]] = ()) -> dict[date, DayCounts]:
    """{day: what one course adds to it}; low_points: (number of the session it began with, whether it was back).

    Sessions count once their rating would be overdue: to count the prompt ones of today without those that
    still have time would flatter.
    """
    counts: dict[date, DayCounts] = defaultdict(DayCounts)
    for visit in events.visits:
        if visit.attended:
            counts[visit.due_day] += DayCounts(attended=1, rated=int(visit.total is not None))
        elif visit.missed:
            counts[visit.due_day] += DayCounts(missed=1)
    attended = [visit for visit in events.visits if visit.attended]
    for flag in events.flags:
        following = next((visit for visit in attended if visit.number > flag.number), None)
        if flag.on_work_list and following is not None and flag.raised_at <= following.overdue_from:
            counts[following.due_day] += _answered(flag, following, events)
    day_of = {visit.number: visit.day for visit in events.visits}
    for number, back in low_points:
        counts[day_of[number]] += DayCounts(low_points=1, back=int(back))
    return dict(counts)


def _answered(flag: RaisedFlag, following: Visit, events: CourseEvents) -> DayCounts:
    """A decision not to talk must not make the share of flags talked about look better: the flag still counts."""
    talks = _moments(flag.key, events)
    in_time = any(at <= following.overdue_from for at in talks)
    decided = any(flag.key in one.about for one in events.deferrals if not one.is_later)
    return DayCounts(flags=1, talked=int(in_time), not_needed=int(decided and not talks))


def _moments(key: FlagKey, events: CourseEvents) -> list[datetime]:
    return [talk.at for talk in events.talks if key in talk.about]
