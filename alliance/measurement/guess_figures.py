"""How far a therapist's guesses lie from what clients mark: the mean difference, and how sure it is.

For the therapist's own learning. One study of 700 treatments found no link between outcome and how far therapist and
client agree; so no rule reads this, and nobody else sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from alliance.measurement.parameters import T_975_MILLIONTHS
from alliance.measurement.process import Z_975
from alliance.measurement.scoring import points, points_apart

FROM_SESSIONS = 10


@dataclass(frozen=True, slots=True)
class GuessFigures:
    """Of so many sessions; the rest in tenths, and None below `FROM_SESSIONS`. Positive: guessed higher than marked.

    low, high: the 95 % interval of the mean difference, rounded outward, so that it never claims more than is known.
    """

    sessions: int
    mean: int | None = None
    low: int | None = None
    high: int | None = None

    @property
    def sentence(self) -> str:
        """In words; of too few sessions only how many there are."""
        if self.mean is None or self.low is None or self.high is None:
            return f"{self.sessions} of {FROM_SESSIONS} sessions: too few to say how close your guesses are."
        way = "as high as" if self.mean == 0 else f"{points_apart(abs(self.mean))} {_way(self.mean)} than"
        chance = (
            " The interval includes 0: it may be chance."
            if self.low <= 0 <= self.high
            else " The interval does not include 0."
        )
        return (
            f"Over {self.sessions} sessions your guesses were on average {way} what was marked "
            f"(95 % interval: {_end(self.low)} to {_end(self.high)}).{chance}"
        )


def figures(differences: Sequence[int]) -> GuessFigures:
    """Of these differences, guessed less marked, in tenths; one for each session.

    The interval of the mean of n differences d: mean(d) ± t(.975, n - 1) · s(d) / √n, Student's t for paired
    observations. Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2, Confidence Limits for the Mean.
    It takes the sessions for independent; those of one client are alike, so that it is rather too narrow.
    """
    n = len(differences)
    if n < FROM_SESSIONS:
        return GuessFigures(n)
    total = sum(differences)
    squares = n * sum(one * one for one in differences) - total * total  # n (n - 1) s², whole
    half = t_975(n - 1) * sqrt(squares / (n - 1)) / n
    mean = total / n
    return GuessFigures(n, _halves_up(total, n), floor(mean - half), ceil(mean + half))


def t_975(freedom: int) -> float:
    """Student's t, .975 quantile: from the table, and beyond it by the expansion in 1/freedom.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5. From 41 on its error is below 1e-7.
    """
    if freedom in T_975_MILLIONTHS:
        return T_975_MILLIONTHS[freedom] / 1e6
    if freedom < min(T_975_MILLIONTHS):
        raise ValueError("One difference has no spread.")
    z = Z_975
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, start=1)))


def _halves_up(whole: int, parts: int) -> int:
    """whole / parts to the nearest tenth, half a tenth away from 0."""
    size = (2 * abs(whole) + parts) // (2 * parts)
    return -size if whole < 0 else size


def _way(tenths: int) -> str:
    return "higher" if tenths > 0 else "lower"


def _end(tenths: int) -> str:
    return "0" if tenths == 0 else f"{points(abs(tenths))} {_way(tenths)}"
