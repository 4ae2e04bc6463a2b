"""Low points and their repair, concluded from the ratings of one episode, its findings and what was talked about.

A low point begins where a rule puts the client on the work list, and is over when two ratings in a row are back near
the client's earlier level. Totals in whole tenths. The words describe ratings, not what happened between two people:
most returns are chance (`returns`), so no rate of repairs stands alone.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import ceil, inf

from alliance.measurement.flag_rules import Finding, strength
from alliance.measurement.parameters import Parameters
from alliance.measurement.trends import CourseSession

DEFAULTS = Parameters()
# A sudden or a lasting fall; what else calls within says again that it is low.
OPENS_ANOTHER = frozenset("CJ")
# Ratings: as many as the usual range needs. From the next one the goal is the own level.
LOW_START_KNOWN_FROM = 4
BACK_WITHIN = 3  # ratings


class RepairState(StrEnum):
    """How far a low point has come: of those that go on, the first of back once, not back, recovering, still low."""

    OPEN = "open"  # no rating since, and nobody talked about it
    DISCUSSED = "discussed"  # talked about, and no rating since
    STILL_LOW = "still-low"
    RECOVERING = "recovering"  # the latest rating is half of the way back, and clearly above the lowest
    NOT_BACK = "not-back"  # three ratings since or more, and none was back
    BACK_ONCE = "back-once"  # the latest rating is back; one rating may be chance
    RECOVERED = "recovered"  # two ratings in a row are back, by their mean
    FELL_AGAIN = "fell-again"  # another low point began within it
    UNREPAIRED = "unrepaired"  # the episode was closed, or the form was changed, before it recovered


GOING_ON = frozenset(
    {
        RepairState.OPEN,
        RepairState.DISCUSSED,
        RepairState.STILL_LOW,
        RepairState.RECOVERING,
        RepairState.NOT_BACK,
        RepairState.BACK_ONCE,
    }
)


STAYS_LOW = frozenset({RepairState.STILL_LOW, RepairState.NOT_BACK})


@dataclass(frozen=True, slots=True)
class Rupture:
    """One low point. Sessions by their number; totals in tenths.

    ended: the session of the recovery, or the last one before it ended otherwise; None while it goes on.
    rules: what put the client on the work list at `began`, strongest first.
    before: the client's own level: the median of the earlier complete ratings on the same form, of a low start of its
    first four ratings; None while there are none. goal: back is a later rating at or above it.
    previous: the complete rating before `began`; None where it is a low start, which is no fall.
    lowest: of `began` and all ratings within. latest: the last of them. ratings: how many came since `began`.
    back_at: the session of the first rating that was back. talked: the sessions within that were talked about.
    after_talk: how many ratings within came after the last of those.
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
    latest: int
    ratings: int
    back_at: int | None
    talked: tuple[int, ...]
    after_talk: int = 0

    @property
    def is_low_start(self) -> bool:
        """The first rating was low already: nothing is known to have fallen."""
        return self.previous is None

    @property
    def goes_on(self) -> bool:
        return self.state in GOING_ON

    @property
    def stays_low_after_talk(self) -> bool:
        """A session of it was talked about, and the ratings since are no way back."""
        return self.state in STAYS_LOW and self.after_talk > 0


@dataclass(slots=True)
class _Running:
    """A low point that is not over yet. since: the totals of its later complete ratings; is_back: of the last one."""

    series: str
    began: int
    rules: tuple[str, ...]
    before: Fraction | None
    goal: int
    total: int
    previous: int | None
    since: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # of their sessions
    back_at: int | None = None
    is_back: bool = False

    def add(self, number: int, total: int, *, calls: bool) -> None:
        self.since.append(total)
        self.numbers.append(number)
        self.is_back = total >= self.goal and not calls
        if self.is_back and self.back_at is None:
            self.back_at = number

    @property
    def lowest(self) -> int:
        return min(self.total, *self.since) if self.since else self.total


def ruptures(
    course: Sequence[CourseSession],
    found: Sequence[Sequence[Finding]],
    talked: Collection[int],
    *,
    is_closed: bool,
    parameters: Parameters = DEFAULTS,
) -> list[Rupture]:
    """The low points of one episode in their order; two never overlap, and only the last may still go on.

    found: the findings of each session of the course. talked: numbers of the sessions with a discussion.

    - One begins at a complete rating with a finding on the work list, while none is going on. Within it a sudden or a
      lasting fall on the work list begins another, and it ends there; any other finding belongs to it. A lasting fall
      at a rating near the median of all before is no call here: a mean is low where one of its ratings was very low.
    - A rating is back where it is at or above the goal and nothing calls for a talk there. The goal is one point
      (`recovered_within`) below the median before, but always above the total at which it began: a level that is the
      client's usual one must at least be passed again. It stays what it was when the low point began.
    - It is recovered at the first rating at which the mean of it and the one before it, both since it began, is at or
      above the goal, and nothing calls for a talk.
    - A low start begins at a first complete rating that is below the cutoff, and no level is known to which it could
      return. Its goal is the cutoff; from the fifth rating on it is one point below the median of the first four.
    - Ratings on another form (series) cannot be compared: the first one ends a low point unrepaired.
    - Gaps and partial ratings change nothing. A discussion belongs to the low point from the session at which it
      began up to the one at which it ended, both included.
    """
    talks = sorted(set(talked))
    walked = _walk(course, found, parameters, is_closed=is_closed)
    return [_told(rupture, ended, state, talks, parameters) for rupture, ended, state in walked]


def returned(rupture: Rupture, course: Sequence[CourseSession], within: int = BACK_WITHIN) -> bool | None:
    """Whether one of the three complete ratings after it began was at its goal: what the chance comparator counts.

    Also where another low point began meanwhile. None where it must not be counted: a low start, which has no level
    to return to, or fewer than three ratings since, even where one is back already: the quick returns among the
    latest low points would flatter the rate.
    """
    after = _ratings_after(rupture, course)[:within]
    if rupture.is_low_start or len(after) < within:
        return None
    return max(after) >= rupture.goal


def recovered_twice(
    rupture: Rupture, course: Sequence[CourseSession], within: int = BACK_WITHIN
) -> bool | None:
    """As `returned`, for two ratings in a row whose mean is at the goal."""
    if returned(rupture, course, within) is None:
        return None
    after = _ratings_after(rupture, course)[:within]
    return any(_is_recovered(after[:count], rupture.goal) for count in range(2, within + 1))


def _ratings_after(rupture: Rupture, course: Sequence[CourseSession]) -> list[int]:
    series = next(session.series for session in course if session.number == rupture.began)
    return [
        session.total
        for session in course
        if session.total is not None and session.series == series and session.number > rupture.began
    ]


def _walk(
    course: Sequence[CourseSession],
    found: Sequence[Sequence[Finding]],
    parameters: Parameters,
    *,
    is_closed: bool,
) -> Iterator[tuple[_Running, int | None, RepairState | None]]:
    """Each low point with the session at which it ended and how; None and None while it goes on."""
    running: _Running | None = None
    earlier: dict[str, list[int]] = {}
    before = 0  # the number of the session before
    for session, raised in zip(course, found, strict=True):
        if session.total is not None:
            history = earlier.setdefault(session.series, [])
            if running and running.series != session.series:
                yield running, before, RepairState.UNREPAIRED
                running = None
            near = _near(_median(history), parameters)
            calls = _calls(raised, is_first=not history, is_near=near is not None and session.total >= near)
            if running and any(finding.rule in OPENS_ANOTHER for finding in calls):
                yield running, before, RepairState.FELL_AGAIN
                running = None
            if running:
                if running.previous is None and len(history) == LOW_START_KNOWN_FROM:
                    _now_has_a_level(running, history, parameters)
                running.add(session.number, session.total, calls=bool(calls))
                if _is_recovered(running.since, running.goal) and not calls:
                    yield running, session.number, RepairState.RECOVERED
                    running = None
            elif calls:
                running = _begin(session.number, session.series, session.total, calls, history, parameters)
            history.append(session.total)
        before = session.number
    if running:
        yield (running, before, RepairState.UNREPAIRED) if is_closed else (running, None, None)


def _calls(raised: Sequence[Finding], *, is_first: bool, is_near: bool) -> list[Finding]:
    """What calls for a talk, strongest first.

    At a first complete rating also an A that does not call: a partial rating before it was certain to be as low. Not a
    lasting fall at a rating near the median before: it tells of the ratings since, of which one very low one is enough.
    """
    calls = (finding for finding in raised if finding.on_work_list or (is_first and finding.rule == "A"))
    return sorted((finding for finding in calls if not (is_near and finding.rule == "J")), key=strength)


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
    )


def _goal(total: int, before: Fraction | None, calls: list[Finding], parameters: Parameters) -> int:
    near = _near(before, parameters)
    return min(max(_lowest_not_below(calls) if near is None else near, total + 1), parameters.total_maximum)


def _near(level: Fraction | None, parameters: Parameters) -> int | None:
    """The lowest total that is near this level."""
    return None if level is None else ceil(level - parameters.recovered_within)


def _now_has_a_level(running: _Running, history: list[int], parameters: Parameters) -> None:
    """Of a low start: what is usual for this client is now known, and may be low. It need not be passed again."""
    running.before = _median(history)
    running.goal = max(_near(running.before, parameters) or 0, parameters.total_minimum)


def _lowest_not_below(calls: list[Finding]) -> int:
    """The lowest total that is not below the cutoff, as rule A had it on that day.

    Only A can speak about a first rating: the other rules compare with earlier ones.
    """
    level = next((finding.evidence for finding in calls if finding.rule == "A"), {})
    cutoff = level.get("cutoff", 0)
    assert isinstance(cutoff, int)
    return cutoff + (level.get("operator") == "<=")


def _is_recovered(since: Sequence[int], goal: int) -> bool:
    """Whether the mean of the last two ratings is at or above the goal."""
    return len(since) >= 2 and sum(since[-2:]) >= 2 * goal


def _median(totals: list[int]) -> Fraction | None:
    if not totals:
        return None
    middle, in_order = len(totals) // 2, sorted(totals)
    return Fraction(in_order[middle] + in_order[-1 - middle], 2)


def _told(
    rupture: _Running, ended: int | None, state: RepairState | None, talks: list[int], parameters: Parameters
) -> Rupture:
    until = inf if ended is None else ended
    talked = tuple(number for number in talks if rupture.began <= number <= until)
    return Rupture(
        began=rupture.began,
        ended=ended,
        state=state or _going_on(rupture, talked, parameters),
        rules=rupture.rules,
        before=rupture.before,
        goal=rupture.goal,
        total=rupture.total,
        previous=rupture.previous,
        lowest=rupture.lowest,
        latest=rupture.since[-1] if rupture.since else rupture.total,
        ratings=len(rupture.since),
        back_at=rupture.back_at,
        talked=talked,
        after_talk=sum(number > talked[-1] for number in rupture.numbers) if talked else 0,
    )


def _going_on(rupture: _Running, talked: tuple[int, ...], parameters: Parameters) -> RepairState:
    if not rupture.since:
        return RepairState.DISCUSSED if talked else RepairState.OPEN
    if rupture.is_back:
        return RepairState.BACK_ONCE
    if rupture.previous is not None and rupture.back_at is None and len(rupture.since) >= BACK_WITHIN:
        return RepairState.NOT_BACK
    return RepairState.RECOVERING if _is_recovering(rupture, parameters) else RepairState.STILL_LOW


def _is_recovering(rupture: _Running, parameters: Parameters) -> bool:
    """Whether the latest rating is half of the way from the start to the goal, and clearly above the lowest."""
    latest = rupture.since[-1]
    half_way = 2 * latest >= rupture.total + rupture.goal
    return half_way and latest - rupture.lowest >= parameters.clear_rise
