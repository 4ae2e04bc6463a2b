"""How many low points come back with nothing repaired, and how many where a fall lasts: the simulation's answer.

A rate of repairs stands beside these figures or nowhere. They follow the rules and the population: what calls for a
talk, how near counts as back, and how high the clinic's clients rate. Shares from 0 to 1, "in our model".
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from random import Random

from alliance.measurement.flag_rules import findings
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import BACK_WITHIN, Rupture, recovered_twice, returned, ruptures
from alliance.measurement.simulate import (
    DEFAULT_SEED,
    VARIANTS,
    Chunk,
    Event,
    in_chunks,
    ratings,
    therapist_effect,
)
from alliance.measurement.trends import CourseSession

SESSIONS = 12
# What happens, and in which sessions a low point must begin to be one of it: the three from the onset on, so that
# three ratings follow in twelve sessions. Of a stable client any but the first, which has no level to return to.
HAPPENINGS: Mapping[str, tuple[Event | None, range]] = {
    "stable": (None, range(2, SESSIONS + 1)),
    "fall": (Event("sudden fall", 7, SESSIONS, 5.0, repaired=True), range(7, 10)),
    "half": (Event("sudden fall", 7, 2, 8.0, repaired=False), range(7, 10)),
    "slide": (Event("slow slide", 6, 7, 1.0), range(6, 9)),
}
CALLING = frozenset("ACDEJ")


@dataclass(frozen=True, slots=True)
class Returns:
    """Of the low points with three ratings since: back once within them, recovered within them.

    recovering: of those that were not back, half of the way back at the third rating. per_session: low points that
    are not back after three ratings, by the sessions from the second on.
    """

    back: float
    recovered: float
    recovering: float
    per_session: float

    @property
    def not_back(self) -> float:
        return 1 - self.back


Table = Mapping[str, Returns]  # by HAPPENINGS


def returns_table(
    variant: str = "standard",
    clients: int = 20_000,
    seed: int = DEFAULT_SEED,
    *,
    parameters: Parameters | None = None,
    processes: int = 1,
) -> dict[str, Returns]:
    """What becomes of low points within three ratings, for each of `HAPPENINGS`; 12 sessions a client.

    Low points as `repairs` concludes them from these rules. The same clients each time.
    """
    count = partial(_count, variant=variant, parameters=parameters or Parameters())
    found = sum(in_chunks(count, clients, seed, processes), Counter[tuple[str, str]]())
    return {what: _returns(what, found, clients) for what in HAPPENINGS}


def _returns(what: str, found: Counter[tuple[str, str]], clients: int) -> Returns:
    low_points, not_back = found[what, "low points"], found[what, "not back"]
    return Returns(
        back=(low_points - not_back) / max(1, low_points),
        recovered=found[what, "recovered"] / max(1, low_points),
        recovering=found[what, "recovering"] / max(1, not_back),
        per_session=not_back / (clients * (SESSIONS - 1)),
    )


def _count(chunk: Chunk, variant: str, parameters: Parameters) -> Counter[tuple[str, str]]:
    seed, clients = chunk
    # What calls for no talk begins no low point, and which line fell is not asked.
    rules = replace(parameters, enabled=parameters.enabled & CALLING, compare_lines=False)
    found = Counter[tuple[str, str]]()
    for what, (event, window) in HAPPENINGS.items():
        rng = Random(seed)
        for _ in range(clients):
            course = ratings(rng, VARIANTS[variant], SESSIONS, therapist_effect(rng), "ordinary", event)
            for rupture in ruptures(course, findings(course, rules), (), is_closed=False, parameters=rules):
                if rupture.began in window and returned(rupture, course) is not None:
                    found.update((what, became) for became in _became(rupture, course, rules))
    return found


def _became(rupture: Rupture, course: list[CourseSession], parameters: Parameters) -> list[str]:
    became = ["low points"]
    if recovered_twice(rupture, course):
        became.append("recovered")
    if not returned(rupture, course):
        became.append("not back")
        if _is_half_way(rupture, course, parameters):
            became.append("recovering")
    return became


def _is_half_way(rupture: Rupture, course: list[CourseSession], parameters: Parameters) -> bool:
    totals = [session.total or 0 for session in course if session.number >= rupture.began][: BACK_WITHIN + 1]
    half_way = 2 * totals[-1] >= rupture.total + rupture.goal
    return half_way and totals[-1] - min(totals) >= parameters.clear_rise


# --- As data ---------------------------------------------------------------------------------------------------


def as_data(table: Table) -> dict[str, dict[str, float]]:
    """JSON values, to four places."""
    return {
        what: {name: round(share, 4) for name, share in asdict(one).items()} for what, one in table.items()
    }


def from_data(data: Mapping[str, Mapping[str, float]]) -> dict[str, Returns]:
    return {what: Returns(**data[what]) for what in HAPPENINGS}


def nearest_variant(mean: float) -> str:
    """The population whose mean total (points) is nearest to that of a clinic."""
    return min(MEANS, key=lambda variant: abs(MEANS[variant] - mean))


# The mean totals of stable clients in the model, from the second rating on (test_returns computes them again).
MEANS: Mapping[str, float] = {"standard": 36.2, "low": 33.1, "high": 37.7}
