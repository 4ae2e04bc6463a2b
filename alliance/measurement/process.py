"""How feedback is used, in counts and shares, each with its uncertainty. Nothing here knows a score."""

from dataclasses import dataclass
from math import ceil, floor, sqrt

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
