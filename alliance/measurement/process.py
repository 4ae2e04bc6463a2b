"""How feedback is used, in counts and shares, each with its uncertainty. Nothing here knows a score."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import groupby
from math import ceil, floor, hypot, sqrt
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
class Change:
    """A share beside the one of the period before it."""

    now: Share
    before: Share

    @property
    def difference(self) -> int | None:
        """In whole per cent points; None where one of the two is no rate."""
        if self.now.percent is None or self.before.percent is None:
            return None
        return round(100 * (self.now.done / self.now.total - self.before.done / self.before.total))

    @property
    def interval(self) -> tuple[int, int] | None:
        """The 95 % interval of the difference, rounded outward (Newcombe 1998, method 10: from Wilson's intervals)."""
        if self.difference is None:
            return None
        now, before = self.now.done / self.now.total, self.before.done / self.before.total
        (low, high), (low_before, high_before) = (
            wilson(share.done, share.total) for share in (self.now, self.before)
        )
        lower = now - before - hypot(now - low, high_before - before)
        upper = now - before + hypot(high - now, before - low_before)
        return floor(100 * lower), ceil(100 * upper)

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance would often make of nothing."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of one day; a session and what was to be done about it count on the day on which they are due.

    attended: sessions; rated: of those, with a complete rating; missed: sessions to which the client did not come.
    to_talk: sessions with a reason to talk, whose next session is over; talked: of those, talked about by 24 hours
    after that session; not_needed: of those never talked about, decided to need no talk. Sessions, and not flags: one
    session may raise four, and one talk answers them all, so that an interval over flags would claim to know more.
    low_points: ruptures since which three ratings came, on the day of the session with which they began; back: of
    those, recovered by the third.
    to_see: sessions with an earlier rating that could be seen before they began; seen: of those, before which it was
    looked at (`Visit.looked`).
    """

    attended: int = 0
    rated: int = 0
    missed: int = 0
    to_talk: int = 0
    talked: int = 0
    not_needed: int = 0
    low_points: int = 0
    back: int = 0
    to_see: int = 0
    seen: int = 0

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
            if visit.looked is not None:
                counts[visit.due_day] += DayCounts(to_see=1, seen=int(visit.looked))
        elif visit.missed:
            counts[visit.due_day] += DayCounts(missed=1)
    attended = [visit for visit in events.visits if visit.attended]
    calling = sorted((flag for flag in events.flags if flag.on_work_list), key=attrgetter("number"))
    for number, flags in groupby(calling, key=attrgetter("number")):
        following = next((visit for visit in attended if visit.number > number), None)
        if following is not None:
            in_time = [flag for flag in flags if flag.raised_at <= following.overdue_from]
            if in_time:
                counts[following.due_day] += _answered(in_time, following, events)
    day_of = {visit.number: visit.day for visit in events.visits}
    for number, back in low_points:
        counts[day_of[number]] += DayCounts(low_points=1, back=int(back))
    return dict(counts)


def _answered(flags: Sequence[RaisedFlag], following: Visit, events: CourseEvents) -> DayCounts:
    """Of one session. A decision not to talk must not make the share look better: the session still counts."""
    talks = [at for flag in flags for at in _moments(flag.key, events)]
    in_time = any(at <= following.overdue_from for at in talks)
    decided = {key for one in events.deferrals if not one.is_later for key in one.about}
    is_decided = not talks and all(flag.key in decided for flag in flags)
    return DayCounts(to_talk=1, talked=int(in_time), not_needed=int(is_decided))


def _moments(key: FlagKey, events: CourseEvents) -> list[datetime]:
    return [talk.at for talk in events.talks if key in talk.about]
