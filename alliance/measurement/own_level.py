"""A client's own level before the last ratings, how sure it is, and where the last ratings lie. Totals in whole tenths.

The same ratings, weights and spread as rule J compares (`lasting_fall`), so that the picture shows what the rule says.
It is the one level that the lists, the client's page and a group's page name. The goal of a low point (`repairs`) is a
total to be reached, one point below a median; no page calls it a level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, sqrt

from alliance.measurement.lasting_fall import FROM_RATINGS, held
from alliance.measurement.parameters import T_975_MILLIONTHS, Parameters
from alliance.measurement.repairs import Rupture
from alliance.measurement.trends import CourseSession


@dataclass(frozen=True, slots=True)
class OwnLevel:
    """The mean of the ratings before the last ones, in tenths, of which none counts as far below their median.

    first, last: the places, from 0, of the ratings it rests on.
    recent: the mean of the `latest` last ratings, the last counting most. fall: by how much they lie below the level
    (less than 0: above).
    lower, upper: 95 % bounds of the level, for drawing only. is_sure: whether such a fall, or rise, lies outside what
    is expected of 95 of 100 (Student's t, exact).
    """

    first: int
    last: int
    latest: int
    mean: Fraction
    recent: Fraction
    lower: float
    upper: float
    is_sure: bool

    @property
    def earlier(self) -> int:
        return self.last - self.first + 1

    @property
    def fall(self) -> Fraction:
        return self.mean - self.recent

    @property
    def tenths(self) -> int:
        """The level as it is written: to the nearest tenth, a half upward."""
        return floor(self.mean + Fraction(1, 2))


def own_level(totals: Sequence[int], parameters: Parameters, low_from: int | None = None) -> OwnLevel | None:
    """The own level behind these complete ratings of one series; None while they are fewer than three.

    low_from: the place of the rating at which a low point began that goes on. The level stays the one that was
    compared there: the ratings since would draw it down after them.
    """
    p, count = parameters, len(totals)
    if count < FROM_RATINGS:
        return None
    k = _latest(count)
    known = count if low_from is None else min(count, max(low_from + 1, FROM_RATINGS))
    end = known - _latest(known)
    first = max(0, end - p.own_range_window)
    before = held(totals[first:end], p.hold_within)
    n, freedom = before.count, before.count + p.nu0 - 1
    if freedom not in T_975_MILLIONTHS:  # a clinic's own, very small weight of the usual spread
        return None
    mean = Fraction(before.total, 2 * n)
    weights = k * (k + 1) // 2
    recent = Fraction(sum(weight * total for weight, total in enumerate(totals[-k:], start=1)), weights)
    sp2 = (p.nu0 * p.s0 * p.s0 + Fraction(before.squares, 4 * n)) / freedom
    squared = Fraction(k * (k + 1) * (2 * k + 1), 6 * weights * weights)
    t = Fraction(T_975_MILLIONTHS[freedom], 10**6)
    reach = float(t) * sqrt(sp2 / n)
    return OwnLevel(
        first=first,
        last=end - 1,
        latest=k,
        mean=mean,
        recent=recent,
        lower=max(float(mean) - reach, float(p.total_minimum)),
        upper=min(float(mean) + reach, float(p.total_maximum)),
        is_sure=(mean - recent) ** 2 > t * t * sp2 * (Fraction(1, n) + squared),
    )


def low_from(rated: Sequence[CourseSession], low_point: Rupture | None) -> int | None:
    """The place among these sessions at which the low point began, if there is one; a low start is no fall."""
    numbers = [session.number for session in rated]
    if low_point is None or low_point.is_low_start or low_point.began not in numbers:
        return None
    return numbers.index(low_point.began)


def level_in_lists(
    rated: Sequence[CourseSession], low_point: Rupture | None, parameters: Parameters
) -> int | None:
    """The level that a list names, in tenths: `own_level`, of two ratings the first.

    rated: the sessions with a complete rating. low_point: the one that goes on. None where no level is known, and of
    a low start until its goal is no longer the cutoff.
    """
    found = _in_lists(rated, low_point, parameters)
    return None if found is None else found[0]


def sessions_of_level(
    rated: Sequence[CourseSession], low_point: Rupture | None, parameters: Parameters
) -> Sequence[CourseSession]:
    """The sessions on whose ratings `level_in_lists` rests; none where it names no level."""
    found = _in_lists(rated, low_point, parameters)
    return [] if found is None else found[1]


def _in_lists(
    rated: Sequence[CourseSession], low_point: Rupture | None, parameters: Parameters
) -> tuple[int, Sequence[CourseSession]] | None:
    of_series = [
        session for session in rated if session.series == rated[-1].series and session.total is not None
    ]
    totals = [session.total for session in of_series if session.total is not None]
    if len(totals) < FROM_RATINGS - 1 or (low_point is not None and low_point.before is None):
        return None
    if len(totals) < FROM_RATINGS:
        return totals[0], of_series[:1]
    level = own_level(totals, parameters, low_from(of_series, low_point))
    return None if level is None else (level.tenths, of_series[level.first : level.last + 1])


def _latest(count: int) -> int:
    """How many of so many ratings are the last ones."""
    return 2 if count == FROM_RATINGS else 3
