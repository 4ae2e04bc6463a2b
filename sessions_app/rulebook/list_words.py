"""What puts a client on the work list, in words and figures; the two lists side by side, like with like."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from alliance.measurement.false_alarms import FOUND, LISTS
from alliance.measurement.parameters import ANY_CHANGE, LASTING_FALLS, Parameters, WorkList
from alliance.measurement.scoring import points_apart
from alliance.measurement.work_list_figures import CHANGES, ListFigures, list_figures

NAMES: Mapping[WorkList, str] = {
    LASTING_FALLS: "Lasting falls (as shipped)",
    ANY_CHANGE: "Any change (the former list)",
}
PRINTED_CLIENTS = 20_000  # of `false_alarms`
# About a second for two lists. Drawn again twelve times, calls moved by 0.4 of 100 (standard deviation) and what is
# found by 1.5; so they are right to 1 and to 4 of 100.
SIMULATED_CLIENTS = 500
# The figures of `false_alarms` hold for the settings as they come.
_SIMULATED_AS: Mapping[WorkList, str] = {LASTING_FALLS: "as shipped", ANY_CHANGE: "former"}
CALLS, CALLS_LATER = "sessions that call for a talk", "the same, not counting first ratings"


@dataclass(frozen=True)
class Row:
    what: str
    said: str


@dataclass(frozen=True)
class Side:
    """One list. rows: the same in each side, in the same order; clients: how many were invented for them."""

    name: str
    rows: list[Row]
    clients: int

    @property
    def how_many(self) -> str:
        return f"{self.clients:,}"

    @property
    def doubt(self) -> str:
        """How far the figures may be from those of any number of clients."""
        if self.clients == PRINTED_CLIENTS:
            return ""
        return (
            "Calls are right to about 1 of 100, and what is found to about 4. What differs between two lists is surer: "
            "the clients are the same."
        )


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
        below = "a total that is newly below the cutoff or has fallen further, " if has_cutoff else ""
        return f"Each new change: {below}a sudden fall, a decline, or a total below the client’s own range."
    fall = f"a sudden fall of {points_apart(max(p.calls_from_fall, p.sudden_fall))} or more"
    if not has_cutoff:
        return f"Two things: a lasting fall, or {fall}."
    return f"Three things: a low start (the first rating is below the cutoff), a lasting fall, or {fall}."


def quiet(p: Parameters) -> str:
    stays = (
        "A fall that was talked about does not call again for four sessions, unless it deepens or returns. "
        "That keeps the list short. One that stays is news once more after that."
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
    found = FOUND["standard"][name]
    return _side(NAMES[work_list], with_first, without_first, found, PRINTED_CLIENTS)


def simulated_sides(lists: Mapping[str, Parameters]) -> list[Side]:
    """Of lists of any settings by their names, of the same clients; about a second."""
    figures = _simulated(tuple(lists.values()))
    return [_simulated_side(name, one) for name, one in zip(lists, figures, strict=True)]


def _simulated_side(name: str, one: ListFigures) -> Side:
    found = {change: (share.found, share.by_chance, share.delay) for change, share in one.changes.items()}
    return _side(name, one.with_first, one.without_first, found, SIMULATED_CLIENTS)


# Of parameters alone, so never stale.
@lru_cache(maxsize=32)
def _simulated(lists: tuple[Parameters, ...]) -> list[ListFigures]:
    by_place = {str(place): p for place, p in enumerate(lists)}
    found = list_figures("standard", SIMULATED_CLIENTS, lists=by_place, with_short=False)
    return [found[place].figures for place in by_place]


def _side(
    name: str,
    with_first: float,
    without_first: float,
    found: Mapping[str, tuple[float, float, int | None]],
    clients: int,
) -> Side:
    rows = [Row(CALLS, f"{with_first:.1f}"), Row(CALLS_LATER, f"{without_first:.1f}")]
    for change in CHANGES:
        share, chance, delay = found[change]
        when = f", at session {delay}" if delay else ""
        rows.append(Row(_what(change), f"{100 * share:.0f} ({100 * chance:.0f} by chance){when}"))
    return Side(name, rows, clients)


def _what(change: str) -> str:
    kind, size = change.split(" of ")
    return f"falls of {size} found" if kind == "fall" else f"slides of {size} a session found"


def comparison(now: Side, then: Side) -> str:
    """One plain sentence, of the calls of two lists."""
    (_, before), (_, after) = calls_of(now), calls_of(then)
    if before == after:
        return (
            "Among invented clients for whom nothing is wrong, as many sessions would call for a talk as now: "
            f"{before} of 100, not counting first ratings."
        )
    return (
        f"Among invented clients for whom nothing is wrong, {after} of 100 sessions would call for a talk instead of "
        f"{before}, not counting first ratings."
    )


def two_sides(p: Parameters) -> list[Side]:
    """The list in force and the other one, of the same clients; printed figures where the rules are as shipped."""
    if is_as_shipped(p):
        return [shipped_side(name) for name in both(p.work_list)]
    return simulated_sides({NAMES[name]: replace(p, work_list=name) for name in both(p.work_list)})


def calls_of(side: Side) -> tuple[str, str]:
    """Per 100 sessions, with first ratings and without."""
    said = {row.what: row.said for row in side.rows}
    return said[CALLS], said[CALLS_LATER]
