"""The generative model of client courses: demo data, false-alarm tables, tests. Reproducible from a seed.

The model is ours and no published norm; docs/clinical-rules.md states it. Latent values are in points and
are floats; what leaves this module is whole tenths.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import exp, floor, sqrt
from random import Random
from typing import Literal, TypeVar

from alliance.measurement.flag_rules import Finding, Parameters, calls, fell_by, findings
from alliance.measurement.parameters import ANY_CHANGE
from alliance.measurement.trends import CourseSession

LINES = ("relationship", "goals", "approach", "overall")
DEFAULT_SEED = 36
MISSING_SHARE = 0.1  # for the false-alarm rate of G
DEMO_MISSING_SHARE = 0.09  # 8 to 10 % in routine use
SMALL_FALL = 10  # a vendor's red; for comparison only, never a flag
BEFORE_SD = 4.3  # between clients, for the dropout slope

Style = Literal["ordinary", "straight-line", "always-top"]
EventKind = Literal["sudden fall", "slow slide", "slow rise"]


@dataclass(frozen=True, slots=True)
class Variant:
    """Where clients' usual totals lie, in points: two groups (mean, SD) and the share of the lower one.

    growth: by how many points they grow, and in how many sessions most of that (1 - 1/e).
    """

    usual: tuple[float, float]
    low: tuple[float, float]
    low_share: float
    growth: tuple[float, float] = (1.5, 2.5)


VARIANTS: Mapping[str, Variant] = {
    "standard": Variant((40.2, 2.2), (34.0, 4.0), 0.30),
    "low": Variant((36.5, 2.6), (30.0, 4.2), 0.35),
    "high": Variant((42.0, 2.2), (36.0, 4.0), 0.20),
    # As ratings of 57 real clients grew (docs/clinical-rules.md): where they rise all the time, a fall is one
    # against the rise.
    "growth": Variant((42.0, 2.2), (35.5, 4.0), 0.30, growth=(7.0, 5.0)),
}


# Of the demonstration: ratings that rise about as those of real clients do (docs/clinical-rules.md). Falls and slides
# come on top: with the ratings of the standard its work list would be twice as long as theirs.
DEMO = Variant((43.5, 2.0), (37.0, 3.5), 0.20, growth=(6.0, 4.0))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in a course: from session `onset` (1-based) for `length` sessions; depth in points.

    For a slide or rise, depth is per session. repaired is None where there is nothing to repair.
    """

    kind: EventKind
    onset: int
    length: int
    depth: float
    repaired: bool | None = None

    def shift(self, number: int) -> float:
        """Points added to the latent total in session `number`."""
        since = number - self.onset
        if since < 0:
            return 0.0
        if self.kind == "sudden fall":
            lasting = 0.0 if self.repaired else self.depth / 2
            return -self.depth if since < self.length else -lasting
        steps = min(since + 1, self.length)
        return self.depth * (steps - self.length if self.kind == "slow rise" else -steps)


@dataclass(frozen=True, slots=True)
class SimulatedCourse:
    sessions: tuple[CourseSession, ...]
    event: Event | None
    style: Style
    dropped_out: bool


def therapist_effect(rng: Random) -> float:
    """One therapist's shift of every client's total, in points."""
    return rng.gauss(0.0, 1.35)


def simulate_course(
    rng: Random,
    variant: str | Variant = "standard",
    sessions: int | None = None,
    *,
    with_events: bool = False,
    therapist: float | None = None,
) -> SimulatedCourse:
    """One client's course. Without events: a stable client, every session rated, `sessions` (12) long.

    With events: falls, slides, rises, straight-liners, always-top clients, missing ratings (overdue), and,
    where `sessions` is None, a drawn length and dropout. `therapist`: the shift (points) of their therapist,
    else of a new one.
    """
    length = sessions or (drawn_length(rng) if with_events else 12)
    style = _style(rng) if with_events else "ordinary"
    event = _event(rng, length) if with_events and style != "always-top" else None
    shift = therapist_effect(rng) if therapist is None else therapist
    norms = VARIANTS[variant] if isinstance(variant, str) else variant
    rated = ratings(rng, norms, length, shift, style, event)
    if not with_events:
        return SimulatedCourse(tuple(rated), event, style, dropped_out=False)
    stays = rated if sessions else _until_dropout(rng, rated)
    kept = tuple(s if rng.random() >= DEMO_MISSING_SHARE else _unrated(s) for s in stays)
    return SimulatedCourse(kept, event, style, dropped_out=len(stays) < len(rated))


def ratings(
    rng: Random, variant: Variant, length: int, therapist: float, style: Style, event: Event | None
) -> list[CourseSession]:
    gauss = rng.gauss
    low = rng.random() < variant.low_share
    base = therapist + gauss(*(variant.low if low else variant.usual))
    spread = 2.8 * exp(gauss(0.0, 0.5))  # within-client SD, points
    quiet = 0.1 if style == "straight-line" else 1.0
    leanings = [gauss(0.0, 0.25 * quiet) for _ in LINES]
    points, sessions = variant.growth
    noise, wave, course = 0.70 * quiet, gauss(0.0, 1.0), []
    for number in range(1, length + 1):
        growth = -points * exp(-(number - 1) / sessions)
        latent = base + growth + spread * wave + (event.shift(number) if event else 0.0)
        marks = [_mark(latent / 4 + leaning + gauss(0.0, noise)) for leaning in leanings]
        course.append(_rated(number, [100] * 4 if style == "always-top" else marks))
        wave = 0.2 * wave + sqrt(0.96) * gauss(0.0, 1.0)  # lag-1 r .2, variance stays 1
    return course


def _mark(latent: float) -> int:
    # A line reads the last full tenth, as a ruler on paper does: rounding up would make the top too common
    # (40 of 40 in 14 to 22 % of sessions instead of 13 to 21 %).
    return floor(min(max(latent, 0.0), 10.0) * 10)


def _rated(number: int, marks: list[int]) -> CourseSession:
    return CourseSession(number, dict(zip(LINES, marks, strict=True)), sum(marks))


def _unrated(session: CourseSession) -> CourseSession:
    return replace(session, answers=None, total=None, overdue=True)


def _style(rng: Random) -> Style:
    share = rng.random()
    if share < 0.05:
        return "always-top"
    return "straight-line" if share < 0.20 else "ordinary"


def _event(rng: Random, length: int) -> Event | None:
    share = rng.random()
    if share < 0.25:
        repaired = rng.random() < 0.58
        return Event("sudden fall", rng.randint(3, 8), rng.randint(1, 3), rng.uniform(3, 10), repaired)
    if share < 0.30:
        return Event("slow slide", rng.randint(2, 5), length, rng.uniform(0.5, 1.5))
    if share < 0.40:
        return Event("slow rise", 1, 6, rng.uniform(0.5, 1.5))
    return None


def drawn_length(rng: Random) -> int:
    """Negative binomial (a Poisson with gamma mean): mean 5.8, SD 4.2, at least one session."""
    size = 5.8**2 / (4.2**2 - 5.8)
    return max(1, _poisson(rng, rng.gammavariate(size, 5.8 / size)))


def _poisson(rng: Random, mean: float) -> int:
    limit, count, product = exp(-mean), 0, rng.random()
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count


def _until_dropout(rng: Random, rated: list[CourseSession]) -> list[CourseSession]:
    for index, session in enumerate(rated[:-1]):
        distance = (360 - (session.total or 0)) / 10 / BEFORE_SD
        if rng.random() < 1 / (1 + exp(3.4 - 0.55 * distance)):
            return rated[: index + 1]
    return rated


# --- false alarms ------------------------------------------------------------------------------------------

# The first session at which each rule can fire: "per session" is the mean from there on.
FIRST_SESSION = {
    "A": 2, "A_new": 2, "A_woken": 2, "B": 2, "C": 2, "C_small": 2, "D": 4, "E": 5, "F": 4, "G": 4, "J": 3,
    "J_calls": 2, "C_calls": 2, "work_list": 2, "former_list": 2,
}  # fmt: skip
TABLE_KEYS = tuple(FIRST_SESSION)
EVERY_RULE = Parameters()
_CHUNK = 1000  # fixed, so that the table does not depend on the number of processes
Chunk = tuple[str, int]  # its seed, and how many clients
_Count = TypeVar("_Count")


def false_alarm_table(
    variant: str = "standard",
    clients: int = 20_000,
    sessions: int = 12,
    seed: int = DEFAULT_SEED,
    *,
    parameters: Parameters | None = None,
    processes: int = 1,
) -> dict[str, dict[str, float]]:
    """Shares (0..1) of stable clients' sessions with each flag, and of clients with one in the first ten.

    Per session: over the sessions from FIRST_SESSION on. G: the same courses with 10 % random misses. work_list:
    any call for a talk, whatever was talked about before; former_list: by any change.
    """
    count = partial(_count_chunk, variant=variant, sessions=sessions, parameters=parameters or EVERY_RULE)
    per_session, in_ten = Counter[str](), Counter[str]()
    for each_session, each_client in in_chunks(count, clients, seed, processes):
        per_session += each_session
        in_ten += each_client
    return {
        key: {
            "per_session": per_session[key] / (clients * max(1, sessions - first + 1)),
            "in_ten": in_ten[key] / clients,
        }
        for key, first in FIRST_SESSION.items()
    }


def in_chunks(count: Callable[[Chunk], _Count], clients: int, seed: int, processes: int) -> Iterator[_Count]:
    # The same random numbers for every variant: variants then differ by their clients, not by the draw.
    chunks = [(f"{seed}/{start}", min(_CHUNK, clients - start)) for start in range(0, clients, _CHUNK)]
    if processes == 1:
        yield from map(count, chunks)
    else:
        # Not forked: the copy of a process that has threads may wait for ever for a lock that one of them held.
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield from pool.map(count, chunks)


def _count_chunk(
    chunk: Chunk, variant: str, sessions: int, parameters: Parameters
) -> tuple[Counter[str], Counter[str]]:
    seed, clients = chunk
    rng = Random(seed)
    per_session, in_ten = Counter[str](), Counter[str]()
    for _ in range(clients):
        course = simulate_course(rng, variant, sessions).sessions
        raised = _raised(rng, course, parameters)
        in_ten.update(set().union(*raised[:10]))
        for number, keys in enumerate(raised, start=1):
            per_session.update(key for key in keys if number >= FIRST_SESSION[key])
    return per_session, in_ten


def _raised(rng: Random, course: Sequence[CourseSession], parameters: Parameters) -> list[set[str]]:
    """The table's keys at each session; G on a copy with missing ratings, so that the rest has none."""
    ratings_only = replace(parameters, enabled=parameters.enabled - {"G"}, compare_lines=False)
    missing_only = replace(parameters, enabled=parameters.enabled & {"G"})
    former = replace(parameters, work_list=ANY_CHANGE)
    keys = [set(_keys(found, former)) for found in findings(course, ratings_only)]
    totals = [session.total or 0 for session in course]
    for index, (before, after) in enumerate(pairwise(totals), start=1):
        if fell_by(before, after, SMALL_FALL):
            keys[index].add("C_small")
    gaps = [_unrated(s) if rng.random() < MISSING_SHARE else s for s in course]
    for index, found in enumerate(findings(gaps, missing_only)):
        keys[index].update(f.rule for f in found)
    return keys


def _keys(found: Iterable[Finding], former: Parameters) -> Iterator[str]:
    for finding in found:
        yield finding.rule
        if finding.rule == "A" and calls(finding, former):
            yield "A_new" if finding.is_new else "A_woken"
        if finding.on_work_list:
            yield "work_list"
            if finding.rule in "CJ":
                yield f"{finding.rule}_calls"
        if calls(finding, former):
            yield "former_list"


# --- detection ---------------------------------------------------------------------------------------------

# Each change with the sessions looked at: any flag of the rule there counts. The fall begins with its window;
# the slide began one session before, so that the total is 2 to 7 points lower within it.
CHANGES: Mapping[str, tuple[Event, range]] = {
    "fall": (Event("sudden fall", 7, 3, 5.0, repaired=True), range(7, 10)),
    "slide": (Event("slow slide", 6, 7, 1.0), range(7, 13)),
}
DETECTING = tuple("ACDEJ")


def detection_table(
    variant: str = "standard",
    clients: int = 20_000,
    seed: int = DEFAULT_SEED,
    *,
    parameters: Parameters | None = None,
    processes: int = 1,
) -> dict[str, dict[str, tuple[float, float]]]:
    """By change and rule: the share (0..1) of clients flagged within the window, with the change and without.

    The same clients both times, and the same sessions: a rule that is raised often finds much by chance. A
    counts whether new or continuing. A rule that is switched off in `parameters` finds nothing.
    """
    rules = parameters or EVERY_RULE
    count = partial(_detect_chunk, variant=variant, parameters=rules)
    found = sum(in_chunks(count, clients, seed, processes), Counter[tuple[str, str, bool]]())
    return {
        change: {
            rule: (found[change, rule, True] / clients, found[change, rule, False] / clients)
            for rule in DETECTING
        }
        for change in CHANGES
    }


def _detect_chunk(chunk: Chunk, variant: str, parameters: Parameters) -> Counter[tuple[str, str, bool]]:
    seed, clients = chunk
    # Which line fell is not asked here, and takes a tenth of the time.
    rules = replace(parameters, enabled=parameters.enabled & frozenset(DETECTING), compare_lines=False)
    found = Counter[tuple[str, str, bool]]()
    for event in (None, *(event for event, _ in CHANGES.values())):
        rng = Random(seed)  # the same clients each time
        for _ in range(clients):
            course = ratings(rng, VARIANTS[variant], 12, therapist_effect(rng), "ordinary", event)
            raised = [{finding.rule for finding in each} for each in findings(course, rules)]
            for change, (what, window) in CHANGES.items():
                if event in (None, what):
                    seen = set().union(*raised[window.start - 1 : window.stop - 1])
                    found.update((change, rule, event is what) for rule in seen)
    return found
