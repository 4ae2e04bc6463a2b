"""What the work list as a whole does: how often it calls, what it finds and how soon, if every call is talked about.

The rules one by one are in `simulate`; a therapist reads the list. From courses of the model, or of a file.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from statistics import median_low

from alliance.measurement.flag_rules import Finding, calls, findings
from alliance.measurement.parameters import ANY_CHANGE, Parameters
from alliance.measurement.simulate import (
    DEFAULT_SEED,
    VARIANTS,
    Chunk,
    Event,
    drawn_length,
    in_chunks,
    ratings,
    therapist_effect,
)
from alliance.measurement.standing import FALLS, is_same_fall
from alliance.measurement.trends import CourseSession

LISTED = frozenset("ACDEJ")  # the rules that can be on a list
LISTS: Mapping[str, Parameters] = {"as shipped": Parameters(), "former": Parameters(work_list=ANY_CHANGE)}
FIRST_CHANGED = 7  # the session at which a simulated change is looked for, after six to compare with
# A fall stays for its window; a slide began one session before, so that the total is lower at once.
FALL_DEPTHS, SLIDE_DEPTHS = (3.0, 5.0, 8.0), (0.5, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Window:
    """A change, and the sessions in which it is looked for: so many from the first on."""

    event: Event
    sessions: int
    first: int = FIRST_CHANGED


CHANGES: Mapping[str, Window] = {
    **{f"fall of {d:g}": Window(Event("sudden fall", 7, 6, d, repaired=True), 3) for d in FALL_DEPTHS},
    **{f"slide of {d:g}": Window(Event("slow slide", 6, 7, d), 6) for d in SLIDE_DEPTHS},
}


@dataclass(frozen=True, slots=True)
class Found:
    """Shares (0..1) of courses with a call within the window of a change, and within the same without it; and the
    median session of the window, from 1, at which those that were found called first. None where none was."""

    found: float
    by_chance: float
    delay: int | None


@dataclass(frozen=True, slots=True)
class ListFigures:
    """Calls per 100 rated sessions, with first ratings and without them. changes: see CHANGES."""

    with_first: float
    without_first: float
    changes: Mapping[str, Found] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SimulatedList:
    """As `ListFigures` of courses of 12 sessions; short: without changes, of courses as long as real ones are.

    short counts nothing where `with_short` was not asked for.
    """

    figures: ListFigures
    short: ListFigures


def talked_about(
    course: Sequence[CourseSession], found: Sequence[Sequence[Finding]], own: Sequence[Parameters]
) -> list[bool]:
    """Whether the list calls at each session, where every call is talked about at once.

    A fall that was talked about does not call again (docs/adr/0014), so this is less than what the rules raise.
    own: the parameters of each session; they may differ from those of its findings in `work_list` only.
    """
    answered: list[tuple[int, int]] = []
    totals: list[tuple[int, int]] = []
    called = []
    for session, raised, p in zip(course, found, own, strict=True):
        number, total = session.number, session.at_most if session.total is None else session.total
        reasons = [finding for finding in raised if calls(finding, p)]
        is_new = total is not None and any(
            finding.rule == "C"
            or not is_same_fall(number, total, answered, totals, (p.badge_fall, p.sudden_fall))
            for finding in reasons
        )
        called.append(is_new)
        if total is not None and is_new and any(finding.rule in FALLS for finding in raised):
            answered.append((number, total))
        if session.total is not None:
            totals.append((number, session.total))
    return called


# --- of the model ------------------------------------------------------------------------------------------

# What is counted: (what, the list, with the change or without), and (what, the list, its delay).
_Key = tuple[str, str, object]


def list_figures(
    variant: str = "standard",
    clients: int = 20_000,
    seed: int = DEFAULT_SEED,
    *,
    lists: Mapping[str, Parameters] | None = None,
    with_short: bool = True,
    processes: int = 1,
) -> dict[str, SimulatedList]:
    """{list: its figures} of stable clients, and of the same with a change; the same clients for every list."""
    chosen = lists or LISTS
    count = partial(_count_chunk, variant=variant, lists=chosen, with_short=with_short)
    counted = sum(in_chunks(count, clients, seed, processes), Counter[_Key]())
    return {name: _of_counts(counted, name) for name in chosen}


def _count_chunk(
    chunk: Chunk, variant: str, lists: Mapping[str, Parameters], *, with_short: bool
) -> Counter[_Key]:
    seed, clients = chunk
    counted = Counter[_Key]()
    for what, event in ((None, None), *((name, window.event) for name, window in CHANGES.items())):
        rng = Random(seed)  # the same clients each time
        for _ in range(clients):
            course = ratings(rng, VARIANTS[variant], 12, therapist_effect(rng), "ordinary", event)
            for name, called in _called(course, lists):
                _count(counted, name, what, called)
    rng = Random(f"{seed} short")
    for _ in range(clients if with_short else 0):
        length = drawn_length(rng)
        course = ratings(rng, VARIANTS[variant], length, therapist_effect(rng), "ordinary", None)
        for name, called in _called(course, lists):
            _count_calls(counted, name, "short", called)
    return counted


def _called(
    course: Sequence[CourseSession], lists: Mapping[str, Parameters]
) -> Iterable[tuple[str, list[bool]]]:
    """(list, where it calls); lists that differ in nothing but `work_list` are found in one go."""
    known: dict[Parameters, list[tuple[Finding, ...]]] = {}
    for name, p in lists.items():
        rules = replace(p, enabled=p.enabled & LISTED, compare_lines=False, work_list=ANY_CHANGE)
        if rules not in known:
            known[rules] = findings(course, rules)
        yield name, talked_about(course, known[rules], [p] * len(course))


def _count(counted: Counter[_Key], name: str, what: str | None, called: list[bool]) -> None:
    if what is None:
        _count_calls(counted, name, "long", called)
    for change in CHANGES if what is None else (what,):
        window = called[FIRST_CHANGED - 1 :][: CHANGES[change].sessions]
        if any(window):
            counted[change, name, what is not None] += 1
            if what is not None:
                counted[change, name, f"delay {window.index(True) + 1}"] += 1


def _count_calls(counted: Counter[_Key], name: str, kind: str, called: list[bool]) -> None:
    counted[kind, name, "courses"] += 1
    counted[kind, name, "sessions"] += len(called)
    counted[kind, name, "calls"] += sum(called)
    counted[kind, name, "first"] += called[0]


def _of_counts(counted: Counter[_Key], name: str) -> SimulatedList:
    courses = max(1, counted["long", name, "courses"])
    changes = {
        change: Found(
            counted[change, name, True] / courses,
            counted[change, name, False] / courses,
            _median_delay({d: counted[change, name, f"delay {d}"] for d in range(1, window.sessions + 1)}),
        )
        for change, window in CHANGES.items()
    }
    return SimulatedList(_calls_of(counted, name, "long", changes), _calls_of(counted, name, "short", {}))


def _calls_of(counted: Counter[_Key], name: str, kind: str, changes: Mapping[str, Found]) -> ListFigures:
    courses, sessions, called, first = (
        counted[kind, name, key] for key in ("courses", "sessions", "calls", "first")
    )
    later = max(1, sessions - courses)
    return ListFigures(100 * called / max(1, sessions), 100 * (called - first) / later, changes)


def _median_delay(times: Mapping[int, int]) -> int | None:
    delays = [delay for delay, count in times.items() for _ in range(count)]
    return median_low(delays) if delays else None
