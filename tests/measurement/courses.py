"""Short ways to write a course in a test: totals as a person reads them, None for no rating."""

from collections.abc import Sequence

from alliance.measurement.flag_rules import Finding, Parameters, findings
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.scoring import at_most
from alliance.measurement.simulate import LINES
from alliance.measurement.trends import CourseSession


def tenths(points: float) -> int:
    return round(points * 10)


def rated(number: int, *points: float | None) -> CourseSession:
    """A session rated on the four lines, in points; a None makes it partial and overdue."""
    answers = {line: None if p is None else tenths(p) for line, p in zip(LINES, points, strict=True)}
    known = [value for value in answers.values() if value is not None]
    whole = len(known) == len(LINES)
    bound = at_most(get(SESSION_RATING), answers)
    return CourseSession(number, answers, sum(known) if whole else None, overdue=not whole, at_most=bound)


def unrated(number: int, *, overdue: bool = True, attended: bool = True) -> CourseSession:
    return CourseSession(number, None, None, attended=attended, overdue=overdue)


def course(*totals: float | None) -> list[CourseSession]:
    """A course from totals in points, spread evenly over the lines."""
    return [
        unrated(number) if total is None else even(number, tenths(total))
        for number, total in enumerate(totals, start=1)
    ]


def even(number: int, total: int) -> CourseSession:
    share, rest = divmod(total, len(LINES))
    answers = {line: share + (index < rest) for index, line in enumerate(LINES)}
    return CourseSession(number, answers, total)


def letters(sessions: Sequence[CourseSession], parameters: Parameters | None = None) -> list[str]:
    """The flags of each session, as letters; a new A as "A+"."""
    found = findings(sessions, parameters or Parameters())
    return [" ".join("A+" if f.rule == "A" and f.is_new else f.rule for f in each) for each in found]


def last(
    sessions: Sequence[CourseSession], rule: str, parameters: Parameters | None = None
) -> Finding | None:
    """The finding of this rule at the last session, if it was raised."""
    found = findings(sessions, parameters or Parameters())[-1]
    return next((f for f in found if f.rule == rule), None)
