"""Which cells of faults and moments are run."""

from collections.abc import Collection
from itertools import product
from random import Random

from tests.torture.faults import FAULTS, Moment
from tests.torture.walk import Cell


def whole(runs: int) -> list[Cell]:
    """Every fault at every moment. Where a fault can do no harm there, the run shows that it does none."""
    return [Cell(fault, moment, run) for run, fault, moment in product(range(runs), FAULTS, Moment)]


def short(seed: int) -> list[Cell]:
    """Every fault once, and every moment at least once."""
    moments = list(Moment)
    Random(seed).shuffle(moments)
    return [Cell(fault, moments[place % len(moments)]) for place, fault in enumerate(FAULTS)]


def chosen(cells: list[Cell], faults: Collection[str], moments: Collection[str], part: str) -> list[Cell]:
    """Those named, and of them the part "2/3": every third from the third on. Raises SystemExit for a wrong name."""
    known = {fault.name for fault in FAULTS} | {moment.value for moment in Moment}
    if unknown := {*faults, *moments} - known:
        raise SystemExit(f"Not known: {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}.")
    named = [
        cell
        for cell in cells
        if (not faults or cell.fault.name in faults) and (not moments or cell.moment in moments)
    ]
    place, parts = map(int, part.split("/"))
    return named[place::parts]
