"""A client's own level of each line: what "usually" means beside one mark, as `own_level` does beside a total. Tenths.

For reading beside a rating, and no rule: nothing is raised by it.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from statistics import mean, median

from alliance.measurement.lasting_fall import lowest_that_counts
from alliance.measurement.own_level import sessions_of_level
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import Rupture
from alliance.measurement.trends import CourseSession


def own_marks(
    rated: Sequence[CourseSession], low_point: Rupture | None, parameters: Parameters
) -> dict[str, int]:
    """{line: the mean of its marks in the sessions of the own level}, so that the lines add up to the level.

    rated, low_point: as for `level_in_lists`. Where the level holds a total near the median, as much is added to the
    lines that were low. Empty where no level is named, and where of its ratings only the totals are known.
    """
    sessions = sessions_of_level(rated, low_point, parameters)
    totals = [session.total for session in sessions if session.total is not None]
    known = [
        (answers, session.total)
        for session in sessions
        if session.total is not None and (answers := _whole(session))
    ]
    if not known:
        return {}
    lowest = Fraction(lowest_that_counts(totals, parameters.hold_within), 2)
    middle = {line: Fraction(median(answers[line] for answers, _ in known)) for line in known[0][0]}
    held = [_held(answers, lowest - total, middle) for answers, total in known]
    return {line: floor(mean(marks[line] for marks in held) + Fraction(1, 2)) for line in middle}


def _held(answers: dict[str, int], missing: Fraction, middle: dict[str, Fraction]) -> dict[str, Fraction]:
    """The marks, the low ones raised so that they add up to the lowest total that counts.

    missing: tenths between their total and that one. A mark that lies further below its median is raised more.
    """
    low = {line: max(Fraction(0), level - answers[line]) for line, level in middle.items()}
    whole = sum(low.values())
    share = min(Fraction(1), max(Fraction(0), missing) / whole) if whole else Fraction(0)
    return {line: answers[line] + share * low[line] for line in middle}


def _whole(session: CourseSession) -> dict[str, int]:
    """Every mark; none of a total that another system kept without its lines."""
    return {line: mark for line, mark in (session.answers or {}).items() if mark is not None}
