"""From a course of ratings to a usual range, a decline. Totals in whole tenths, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt

from alliance.measurement.parameters import T_975_MILLIONTHS, Parameters

Answers = Mapping[str, int | None]

# Mann-Kendall: all falls of five ratings but one pair (or with ties), or each of four below the one before;
# exact one-sided p = .042 for both (Kendall's permutation distribution: 5/120 and 1/24).
DECLINE_WINDOWS = ((5, -8), (4, -6))


@dataclass(frozen=True, slots=True)
class CourseSession:
    """One therapy session of one episode, with what was rated.

    answers None: no rating. total None: a partial rating or none. overdue: the caller's clock says that the
    rating should have been there by now. series: which ratings may be compared with each other, such as the
    same instrument, version and edition of its wording; a usual range holds one series only.
    """

    number: int
    answers: Answers | None
    total: int | None
    attended: bool = True
    overdue: bool = False
    series: str = ""


@dataclass(frozen=True, slots=True)
class UsualRange:
    """A client's own 95 % range for the next total, in tenths; sp2 in tenths squared.

    lower and upper are for drawing only. lowest and highest are the whole tenths inside, exact: a total is
    below the usual range if and only if it is less than lowest.
    """

    lower: float
    upper: float
    lowest: int
    highest: int
    mean: Fraction
    sp2: Fraction
    earlier: int


@dataclass(frozen=True, slots=True)
class Decline:
    """The window that showed a decline: its length, Mann-Kendall S, first and last total in tenths."""

    length: int
    s: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Drift:
    """A slow drift, in tenths: the plain means of the last ratings and of those before them, to the nearest."""

    latest: int
    recent: int
    earlier: int
    before: int


@dataclass(frozen=True, slots=True)
class _Spread:
    """Integers behind the usual range: mean = total/count, sp² = squares/(count·freedom)."""

    count: int
    total: int
    squares: int  # n * (nu0*s0² + (n-1)s²), whole because (n-1)s² = sum x² - (sum x)²/n
    freedom: int

    @property
    def reach(self) -> int:
        """The whole part of count times the half-width of the usual range."""
        t, n = T_975_MILLIONTHS[self.freedom], self.count
        # (n·half-width)² = n²·t²·sp²·(1 + 1/n) with sp² = squares / (n·freedom). For a whole number d,
        # d² > q if and only if d > isqrt(floor(q)): so the comparison of rule E is exact without a root.
        return isqrt(t * t * (n + 1) * self.squares // (self.freedom * 10**12))


def _spread(totals: Sequence[int], p: Parameters) -> _Spread | None:
    window = totals[-p.own_range_window :]
    n = len(window)
    if n < p.own_range_minimum:
        return None
    total = sum(window)
    squares = n * (p.nu0 * p.s0 * p.s0 + sum(x * x for x in window)) - total * total
    return _Spread(n, total, squares, n + p.nu0 - 1)


def lowest_usual(totals: Sequence[int], parameters: Parameters) -> int | None:
    """The lowest whole tenth inside the usual range of these earlier totals; None while they are too few."""
    spread = _spread(totals, parameters)
    if spread is None:
        return None
    return max(-((spread.reach - spread.total) // spread.count), parameters.total_minimum)


def usual_range(totals: Sequence[int], parameters: Parameters) -> UsualRange | None:
    """The usual range from the earlier totals of one episode; None while they are fewer than the minimum.

    m -/+ t(.975, n+nu0-1)·sp·sqrt(1+1/n) over the last n = min(window, earlier) totals, with
    sp² = (nu0·s0² + (n-1)s²)/(n+nu0-1); ends are held inside the range of the total. An adapted control
    chart: the literature has no agreed rule (Eubanks-Carter 2012, Lipner 2022).
    """
    spread = _spread(totals, parameters)
    if spread is None:
        return None
    n, floor, ceiling = spread.count, parameters.total_minimum, parameters.total_maximum
    mean, reach = Fraction(spread.total, n), spread.reach
    sp2 = Fraction(spread.squares, n * spread.freedom)
    half = T_975_MILLIONTHS[spread.freedom] / 1e6 * sqrt(sp2 * (n + 1) / n)
    return UsualRange(
        lower=max(float(mean) - half, float(floor)),
        upper=min(float(mean) + half, float(ceiling)),
        lowest=max(-((reach - spread.total) // n), floor),
        highest=min((spread.total + reach) // n, ceiling),
        mean=mean,
        sp2=sp2,
        earlier=n,
    )


def mann_kendall(totals: Sequence[int]) -> int:
    """Mann-Kendall S: pairs that rise minus pairs that fall; ties count 0."""
    return sum(
        (later > earlier) - (later < earlier)
        for index, earlier in enumerate(totals)
        for later in totals[index + 1 :]
    )


def decline(totals: Sequence[int], minimum_fall: int) -> Decline | None:
    """The decline that ends at the last total, if there is one; the longer window is looked at first."""
    for length, limit in DECLINE_WINDOWS:
        window = totals[-length:]
        # The fall is checked first: it is cheap and most windows have none.
        if len(window) == length and window[0] - window[-1] >= minimum_fall:
            s = mann_kendall(window)
            if s <= limit:
                return Decline(length, s, window[0], window[-1])
    return None


def drift(totals: Sequence[int], parameters: Parameters) -> Drift | None:
    """The slow drift down that ends at the last total, if there is one.

    An exponentially weighted mean (Roberts 1959) of the last `drift_sessions` totals, begun at the mean m of the
    own_range_minimum to own_range_window totals before them: z < m - limit·sp·sqrt(lambda/(2 - lambda)), with sp²
    as in the usual range. Weights and limit are ours.
    """
    p, cut = parameters, len(totals) - parameters.drift_sessions
    spread = _spread(totals[:cut], p) if cut >= p.own_range_minimum else None
    if spread is None:
        return None
    latest = totals[cut:]
    # Whole numbers only: z is kept as count·10^k·z after k totals, the distance as count·10^k·(m - z).
    weight, scale, z = p.drift_weight, 1, spread.total
    for total in latest:
        z = weight * spread.count * total * scale + (10 - weight) * z
        scale *= 10
    distance = spread.total * scale - z
    limit = spread.count * (scale * p.drift_limit) ** 2 * spread.squares * weight
    if distance <= 0 or distance * distance * 100 * spread.freedom * (20 - weight) <= limit:
        return None
    return Drift(
        len(latest), _nearest(sum(latest), len(latest)), spread.count, _nearest(spread.total, spread.count)
    )


def _nearest(total: int, count: int) -> int:
    """The mean to the nearest whole, a half upward."""
    return (2 * total + count) // (2 * count)
