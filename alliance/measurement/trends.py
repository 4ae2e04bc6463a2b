"""From a course of ratings to a usual range, a decline. Totals in whole tenths, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt

from alliance.measurement.lasting_fall import held
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
    same instrument, version and edition of its wording; a usual range holds one series only. at_most: of a
    partial rating, its total if the missing lines were marked as favourably as can be (`scoring.at_most`).
    """

    number: int
    answers: Answers | None
    total: int | None
    attended: bool = True
    overdue: bool = False
    series: str = ""
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class UsualRange:
    """A client's own 95 % range for the next total, in tenths; sp2 in tenths squared.

    lower and upper are for drawing only. lowest and highest are the whole tenths inside, exact: a total is
    below the usual range if and only if it is less than lowest. Earlier totals far below their median are held
    (`lasting_fall.held`): one bad session would make the range so wide that the next fall lies inside.
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
class _Spread:
    """Whole numbers behind the usual range, in half tenths: mean = total/count, sp² = squares/(count·freedom)."""

    count: int
    total: int
    squares: int  # n · (nu0·s0² + Q), whole because Q = sum x² - (sum x)²/n
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
    if len(window) < p.own_range_minimum:
        return None
    earlier = held(window, p.hold_within)
    n = earlier.count
    return _Spread(n, earlier.total, n * p.nu0 * (2 * p.s0) ** 2 + earlier.squares, n + p.nu0 - 1)


def lowest_usual(totals: Sequence[int], parameters: Parameters) -> int | None:
    """The lowest whole tenth inside the usual range of these earlier totals; None while they are too few."""
    spread = _spread(totals, parameters)
    if spread is None:
        return None
    return max(-((spread.reach - spread.total) // (2 * spread.count)), parameters.total_minimum)


def usual_range(totals: Sequence[int], parameters: Parameters) -> UsualRange | None:
    """The usual range from the earlier totals of one episode; None while they are fewer than the minimum.

    m -/+ t(.975, n+nu0-1)·sp·sqrt(1+1/n) over the last n = min(window, earlier) totals, with
    sp² = (nu0·s0² + (n-1)s²)/(n+nu0-1), m and s² of the held totals; ends are kept inside the range
    of the total. An adapted control chart: the literature has no agreed rule (Eubanks-Carter 2012, Lipner 2022).
    """
    spread = _spread(totals, parameters)
    if spread is None:
        return None
    n, floor, ceiling = spread.count, parameters.total_minimum, parameters.total_maximum
    mean, reach = Fraction(spread.total, 2 * n), spread.reach
    sp2 = Fraction(spread.squares, 4 * n * spread.freedom)
    half = T_975_MILLIONTHS[spread.freedom] / 1e6 * sqrt(sp2 * (n + 1) / n)
    return UsualRange(
        lower=max(float(mean) - half, float(floor)),
        upper=min(float(mean) + half, float(ceiling)),
        lowest=max(-((reach - spread.total) // (2 * n)), floor),
        highest=min((spread.total + reach) // (2 * n), ceiling),
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
