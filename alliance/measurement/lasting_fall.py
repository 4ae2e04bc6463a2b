"""Rule J: a fall that lasts, and at which of the ratings it calls for a talk. Totals in whole tenths, oldest first.

The caller passes the complete ratings of one series of one episode. Whole numbers only: no float at a boundary.
The model behind it and its figures are ours; docs/clinical-rules.md has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alliance.measurement.parameters import Parameters

FROM_RATINGS = 3  # before the third, one rating only is left to compare two with, or none
QUIET_FOR = 4  # ratings after a call: as many as a usual range needs
DEFAULTS = Parameters()
# The first limits are wider: a mean of one or two ratings says little. Sixths of the limit, from the third on.
_SIXTHS = {3: 15, 4: 12, 5: 8}


@dataclass(frozen=True, slots=True)
class LastingFall:
    """What rule J compared, in tenths to the nearest: the mean of the last ratings, the latest counting most,
    and the mean of those before, of which none counts as more than `hold_within` below their median."""

    ratings: int
    recent: int
    before: int
    earlier: int


@dataclass(frozen=True, slots=True)
class Held:
    """Earlier totals, none lower than `hold_within` below their median. In half tenths, so that all is whole:
    mean = total/count/2, sum of squared deviations Q = squares/count/4."""

    count: int
    total: int
    squares: int


def lowest_that_counts(totals: Sequence[int], hold_within: int) -> int:
    """`hold_within` below the median of these totals: a lower one counts as this much. In half tenths."""
    in_order, n = sorted(totals), len(totals)
    return in_order[n // 2] + in_order[(n - 1) // 2] - 2 * hold_within


def held(totals: Sequence[int], hold_within: int) -> Held:
    """These totals, the low ones held: else one bad session would widen the spread and hide the next fall."""
    lowest, n = lowest_that_counts(totals, hold_within), len(totals)
    values = [max(2 * total, lowest) for total in totals]
    whole = sum(values)
    return Held(n, whole, n * sum(value * value for value in values) - whole * whole)


def lasting_fall(totals: Sequence[int], parameters: Parameters = DEFAULTS) -> LastingFall | None:
    """The lasting fall that ends at the last of these totals, if there is one.

    y: mean of the last k = 3 totals (2 where there are only 3) with weights 1 to k; m and Q: of the up to eight
    before, held. Raised where m - y >= lasting_fall and (m - y)² > c²·sp²·(1/n + q), sp² = (nu0·s0² + Q)/(n + nu0 - 1),
    q the sum of the squared weights over the square of their sum.
    """
    p, count = parameters, len(totals)
    if count < FROM_RATINGS:
        return None
    k = 2 if count == FROM_RATINGS else 3
    latest, before = totals[-k:], totals[max(0, count - k - p.own_range_window) : count - k]
    earlier = held(before, p.hold_within)
    n, weights, squared = earlier.count, k * (k + 1) // 2, k * (k + 1) * (2 * k + 1) // 6
    weighted = sum(weight * total for weight, total in enumerate(latest, start=1))
    # n · weights · (m - y), in half tenths.
    distance = earlier.total * weights - 2 * n * weighted
    if distance < 2 * p.lasting_fall * n * weights:
        return None
    limit = p.lasting_limit * _SIXTHS.get(count, 6)
    spread = n * p.nu0 * (2 * p.s0) ** 2 + earlier.squares
    if (600 * distance) ** 2 * (n + p.nu0 - 1) <= limit**2 * spread * (weights**2 + n * squared):
        return None
    return LastingFall(k, _nearest(weighted, weights), _nearest(earlier.total, 2 * n), n)


def is_quiet(totals: Sequence[int], called: Sequence[bool], parameters: Parameters = DEFAULTS) -> bool:
    """Whether the fall at the last total was called for already: called tells, of each total before it, whether it
    called by rule J or by a sudden fall from `calls_from_fall`.

    So where one of the four before called, the total now is not `badge_fall` lower than there, and none between
    lay `quiet_rise` above it.
    """
    now = totals[-1]
    last = len(totals) - 1
    return any(
        called[place]
        and totals[place] - now < parameters.badge_fall
        and all(between < totals[place] + parameters.quiet_rise for between in totals[place + 1 : last])
        for place in range(max(0, last - QUIET_FOR), last)
    )


def _nearest(total: int, count: int) -> int:
    """The mean to the nearest whole, a half upward."""
    return (2 * total + count) // (2 * count)
