"""A client's own level before the last ratings, how sure it is, and where the last ratings lie. Totals in whole tenths.

The same ratings, weights and spread as rule J compares (`lasting_fall`), so that the picture shows what the rule says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from alliance.measurement.lasting_fall import FROM_RATINGS, held
from alliance.measurement.parameters import T_975_MILLIONTHS, Parameters


@dataclass(frozen=True, slots=True)
class OwnLevel:
    """The mean of the ratings before the last ones, in tenths, of which none counts as far below their median.

    first, last: the places, from 0, of the ratings it rests on; latest: how many ratings came after them.
    recent: the mean of these, the last counting most. fall: by how much they lie below the level (less than 0: above).
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


def own_level(totals: Sequence[int], parameters: Parameters) -> OwnLevel | None:
    """The own level behind these complete ratings of one series; None while they are fewer than three."""
    p, count = parameters, len(totals)
    if count < FROM_RATINGS:
        return None
    k = 2 if count == FROM_RATINGS else 3
    first = max(0, count - k - p.own_range_window)
    before = held(totals[first : count - k], p.hold_within)
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
        last=count - k - 1,
        latest=k,
        mean=mean,
        recent=recent,
        lower=max(float(mean) - reach, float(p.total_minimum)),
        upper=min(float(mean) + reach, float(p.total_maximum)),
        is_sure=(mean - recent) ** 2 > t * t * sp2 * (Fraction(1, n) + squared),
    )
