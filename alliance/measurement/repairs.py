"""Ruptures and their repair, concluded from the ratings of one episode, its findings and what was talked about.

A rupture begins where a rule puts the client on the work list, and is over when the client's ratings are back
near their own usual level. Totals in whole tenths. The words describe ratings, not what happened between two
people: most returns are chance (false_alarms.RETURNED_BY_CHANCE), so no rate of repairs stands alone.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, inf

from alliance.measurement.flag_rules import Finding, strength
from alliance.measurement.parameters import Parameters
from alliance.measurement.trends import CourseSession

DEFAULTS = Parameters()


class RepairState(StrEnum):
    """How far a rupture has come: the first of recovered, unrepaired, recovering, discussed, open that holds."""

    OPEN = "open"
    DISCUSSED = "discussed"  # talked about, and not recovering
    RECOVERING = "recovering"  # the latest rating is higher than the lowest, not back, and no new sudden fall
    RECOVERED = "recovered"
    UNREPAIRED = "unrepaired"  # the episode was closed, or the form was changed, before it recovered


@dataclass(frozen=True, slots=True)
class Rupture:
    """One rupture. Sessions by their number; totals in tenths.

    ended: the session of the recovery, or the last one before it ended unrepaired; None while it goes on.
    rules: what put the client on the work list at `began`, strongest first.
    before: the client's median of the earlier complete ratings on the same form; None where there were none.
    goal: recovered is a later rating at or above it. previous: the complete rating before `began`.
    lowest: of `began` and all ratings within. talked: the sessions within that were talked about.
    """

    began: int
    ended: int | None
    state: RepairState
    rules: tuple[str, ...]
    before: Fraction | None
    goal: int
    total: int
    previous: int | None
    lowest: int
    talked: tuple[int, ...]


@dataclass(slots=True)
class _Running:
    """A rupture that is not over yet; `latest`: total of its last complete rating, `fell`: suddenly, again."""

    series: str
    began: int
    rules: tuple[str, ...]
    before: Fraction | None
    goal: int
    total: int
    previous: int | None
    lowest: int
    latest: int
    fell: bool = False

    def add(self, total: int, *, fell: bool) -> None:
        self.latest, self.fell = total, fell
        self.lowest = min(self.lowest, total)


def ruptures(
    course: Sequence[CourseSession],
    found: Sequence[Sequence[Finding]],
    talked: Collection[int],
    *,
    is_closed: bool,
    parameters: Parameters = DEFAULTS,
) -> list[Rupture]:
    """The ruptures of one episode in their order; two never overlap, and only the last may still go on.

    found: the findings of each session of the course. talked: numbers of the sessions with a discussion.

    - One begins at a complete rating with a finding on the work list, while none is going on. A finding within
      a rupture belongs to it.
    - It is recovered at the first later complete rating at or above its goal at which nothing calls for a talk.
      The goal is one point (`recovered_within`) below the median before, but always above the total at which it
      began: a level that is the client's usual one must at least be passed again. Without an earlier rating the
      goal is the cutoff. It stays what it was when the rupture began.
    - Ratings on another form (series) cannot be compared: the first one ends a rupture unrepaired.
    - Gaps and partial ratings change nothing. A discussion belongs to the rupture from the session at which it
      began up to the one at which it ended, both included.
    """
    talks = sorted(set(talked))
    walked = _walk(course, found, parameters, is_closed=is_closed)
    return [_told(rupture, ended, state, talks) for rupture, ended, state in walked]


def returned(rupture: Rupture, course: Sequence[CourseSession], within: int = 3) -> bool | None:
    """Whether it recovered by the third complete rating after it began: what the chance comparator counts.

    None where it must not be counted: no earlier rating to return to, or fewer than three since, even where one
    is back already: the quick returns among the latest ruptures would flatter the rate.
    """
    series = next(session.series for session in course if session.number == rupture.began)
    after = [
        session.number
        for session in course
        if session.total is not None and session.series == series and session.number > rupture.began
    ][:within]
    if rupture.before is None or len(after) < within:
        return None
    return rupture.state is RepairState.RECOVERED and rupture.ended in after


def _walk(
    course: Sequence[CourseSession],
    found: Sequence[Sequence[Finding]],
    parameters: Parameters,
    *,
    is_closed: bool,
) -> Iterator[tuple[_Running, int | None, RepairState | None]]:
    """Each rupture with the session at which it ended and how; None and None while it goes on."""
    running: _Running | None = None
    earlier: dict[str, list[int]] = {}
    before = 0  # the number of the session before
    for session, raised in zip(course, found, strict=True):
        if session.total is not None:
            calls = sorted((finding for finding in raised if finding.on_work_list), key=strength)
            history = earlier.setdefault(session.series, [])
            if running and running.series != session.series:
                yield running, before, RepairState.UNREPAIRED
                running = None
            if running:
                running.add(session.total, fell=any(finding.rule == "C" for finding in calls))
                if session.total >= running.goal and not calls:
                    yield running, session.number, RepairState.RECOVERED
                    running = None
            elif calls:
                running = _begin(session.number, session.series, session.total, calls, history, parameters)
            history.append(session.total)
        before = session.number
    if running:
        yield (running, before, RepairState.UNREPAIRED) if is_closed else (running, None, None)


def _begin(
    number: int, series: str, total: int, calls: list[Finding], history: list[int], parameters: Parameters
) -> _Running:
    before = _median(history)
    return _Running(
        series=series,
        began=number,
        rules=tuple(finding.rule for finding in calls),
        before=before,
        goal=_goal(total, before, calls, parameters),
        total=total,
        previous=history[-1] if history else None,
        lowest=total,
        latest=total,
    )


def _goal(total: int, before: Fraction | None, calls: list[Finding], parameters: Parameters) -> int:
    near = _lowest_not_below(calls) if before is None else ceil(before - parameters.recovered_within)
    return min(max(near, total + 1), parameters.total_maximum)


def _lowest_not_below(calls: list[Finding]) -> int:
    """The lowest total that is not below the cutoff, as rule A had it on that day.

    Only A can speak about a first rating: the other rules compare with earlier ones.
    """
    level = next((finding.evidence for finding in calls if finding.rule == "A"), {})
    cutoff = level.get("cutoff", 0)
    assert isinstance(cutoff, int)
    return cutoff + (level.get("operator") == "<=")


def _median(totals: list[int]) -> Fraction | None:
    if not totals:
        return None
    middle, in_order = len(totals) // 2, sorted(totals)
    return Fraction(in_order[middle] + in_order[-1 - middle], 2)


def _told(rupture: _Running, ended: int | None, state: RepairState | None, talks: list[int]) -> Rupture:
    until = inf if ended is None else ended
    talked = tuple(number for number in talks if rupture.began <= number <= until)
    return Rupture(
        began=rupture.began,
        ended=ended,
        state=state or _going_on(rupture, talked),
        rules=rupture.rules,
        before=rupture.before,
        goal=rupture.goal,
        total=rupture.total,
        previous=rupture.previous,
        lowest=rupture.lowest,
        talked=talked,
    )


def _going_on(rupture: _Running, talked: tuple[int, ...]) -> RepairState:
    if rupture.latest > rupture.lowest and not rupture.fell:
        return RepairState.RECOVERING
    return RepairState.DISCUSSED if talked else RepairState.OPEN
