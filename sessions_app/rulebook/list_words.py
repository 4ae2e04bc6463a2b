"""What puts a client on the work list, in words and figures; the two lists side by side, like with like."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from alliance.measurement.false_alarms import FOUND, LISTS
from alliance.measurement.parameters import ANY_CHANGE, LASTING_FALLS, Parameters, WorkList
from alliance.measurement.scoring import points
from alliance.measurement.work_list_figures import CHANGES, SimulatedList, list_figures

NAMES: Mapping[WorkList, str] = {
    LASTING_FALLS: "Lasting falls (as shipped)",
    ANY_CHANGE: "Any change (the former list)",
}
SIMULATED_CLIENTS = 250
# The figures of `false_alarms` hold for the settings as they come.
_SIMULATED_AS: Mapping[WorkList, str] = {LASTING_FALLS: "as shipped", ANY_CHANGE: "former"}
CALLS, CALLS_LATER = "sessions that call", "sessions that call, first ratings apart"


@dataclass(frozen=True)
class Row:
    what: str
    said: str


@dataclass(frozen=True)
class Side:
    """One list. rows: the same in each side, in the same order."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class WorkListPage:
    """sentence: what calls; quiet: what does not, and where it is seen. sides: the list in force, then the other."""

    sentence: str
    quiet: str
    sides: list[Side]
    as_simulated: bool


def page(p: Parameters) -> WorkListPage:
    """The list of these settings, as the page of the rules tells it."""
    return WorkListPage(
        sentence(p), quiet(p), [shipped_side(name) for name in both(p.work_list)], is_as_shipped(p)
    )


def is_as_shipped(p: Parameters) -> bool:
    """But for the list: whether the printed figures hold."""
    return replace(p, work_list=LASTING_FALLS) == Parameters()


def both(in_force: WorkList) -> list[WorkList]:
    return sorted(NAMES, key=lambda name: name != in_force)


def sentence(p: Parameters) -> str:
    has_cutoff = p.cutoff is not None
    if p.work_list == ANY_CHANGE:
        below = "a total that is below the cutoff newly or has fallen further, " if has_cutoff else ""
        return f"Each new change: {below}a sudden fall, a decline, or a total below the client’s own range."
    fall = f"a sudden fall of {points(max(p.calls_from_fall, p.sudden_fall))} or more"
    if not has_cutoff:
        return f"Two things: a lasting fall, or {fall}."
    return f"Three things: a low start (the first rating is below the cutoff), a lasting fall, or {fall}."


def quiet(p: Parameters) -> str:
    stays = (
        "A fall that was talked about does not call again for four sessions, unless it goes on or comes back. "
        "That keeps the list short."
    )
    if p.work_list == ANY_CHANGE:
        return stays
    below = "below cutoff, " if p.cutoff is not None else ""
    return (
        f"What else the rules see ({below}a smaller fall, a decline, below own range) stays a quiet mark, and "
        f"stands as a reason behind the first. {stays}"
    )


def shipped_side(work_list: WorkList) -> Side:
    """Of the settings as they come, from the figures that are printed everywhere."""
    name = _SIMULATED_AS[work_list]
    with_first, without_first, *_ = LISTS["standard"][name]
    return _side(NAMES[work_list], with_first, without_first, FOUND["standard"][name])


def simulated_side(name: str, p: Parameters) -> Side:
    """Of any settings; some seconds."""
    figures = _simulated(p).figures
    found = {change: (one.found, one.by_chance, one.delay) for change, one in figures.changes.items()}
    return _side(name, figures.with_first, figures.without_first, found)


# Of parameters alone, so never stale.
@lru_cache(maxsize=32)
def _simulated(p: Parameters) -> SimulatedList:
    return list_figures("standard", SIMULATED_CLIENTS, lists={"one": p})["one"]


def _side(
    name: str, with_first: float, without_first: float, found: Mapping[str, tuple[float, float, int | None]]
) -> Side:
    rows = [Row(CALLS, f"{with_first:.1f}"), Row(CALLS_LATER, f"{without_first:.1f}")]
    for change in CHANGES:
        share, chance, delay = found[change]
        when = f", at session {delay}" if delay else ""
        rows.append(Row(_what(change), f"{100 * share:.0f} ({100 * chance:.0f} by chance){when}"))
    return Side(name, rows)


def _what(change: str) -> str:
    kind, size = change.split(" of ")
    return f"falls of {size} found" if kind == "fall" else f"slides of {size} a session found"


def comparison(now: Side, then: Side) -> str:
    """One plain sentence, of the calls of two lists."""
    (_, before), (_, after) = calls_of(now), calls_of(then)
    if before == after:
        return (
            "Among invented clients with whom nothing is wrong as many sessions call for a talk as now: "
            f"{before} of 100, first ratings apart."
        )
    return (
        f"Among invented clients with whom nothing is wrong {after} instead of {before} of 100 sessions would call "
        "for a talk, first ratings apart."
    )


def two_sides(p: Parameters) -> list[Side]:
    """The list in force and the other one, of the same clients; printed figures where the rules are as shipped."""
    if is_as_shipped(p):
        return [shipped_side(name) for name in both(p.work_list)]
    return [simulated_side(NAMES[name], replace(p, work_list=name)) for name in both(p.work_list)]


def calls_of(side: Side) -> tuple[str, str]:
    """Per 100 sessions, with first ratings and without."""
    said = {row.what: row.said for row in side.rows}
    return said[CALLS], said[CALLS_LATER]
