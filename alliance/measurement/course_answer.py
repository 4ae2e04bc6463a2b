"""What a course answers to "is it falling?", in one sentence that says no more than its ratings and flags do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from alliance.measurement.flag_rules import Finding
from alliance.measurement.own_level import OwnLevel, low_from, own_level
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import Rupture
from alliance.measurement.scoring import points, points_apart
from alliance.measurement.trends import CourseSession

ONE_POINT = 10
STAYS_FROM = 3  # ratings: most low points of stable clients are back by then
FALLING_BY = ("J", "D")  # rules about more than one rating
LOWER_BY = ("C", "E")  # rules about the last rating alone


class Kind(StrEnum):
    """The answer; of several that hold the first."""

    NONE = "none"  # no complete rating
    FALLING = "falling"
    LOWER_ONCE = "lower once"
    NOT_BACK = "not back"
    STAYING_LOW = "staying low"
    TOO_FEW = "too few"
    LOWER = "lower"  # no rule speaks, but the figures do: a clinic may have switched rules off
    HIGHER = "higher"
    STEADY = "steady"


ELSEWHERE = (Kind.FALLING, Kind.NOT_BACK, Kind.STAYING_LOW, Kind.LOWER, Kind.HIGHER)


@dataclass(frozen=True, slots=True)
class CourseAnswer:
    """kind, its sentence, and the level it compares with, of the last series; None where there is none.

    months: of that level. distance: how far from it the last ratings lie, such as "13 points below this client's
    level of August"; "" where the answer does not say that they lie elsewhere.
    """

    kind: Kind
    sentence: str
    level: OwnLevel | None = None
    months: str = ""
    distance: str = ""


def answer(
    course: Sequence[CourseSession],
    found: Sequence[Sequence[Finding]],
    days: Sequence[date],
    parameters: Parameters,
    low_point: Rupture | None = None,
) -> CourseAnswer:
    """The answer of a course; found and days: findings and date of each of its sessions.

    low_point: the one that still goes on; the level is then the one before it. Reasons are the findings at the last
    session with any mark: a partial rating speaks where it is certain whatever was left out.
    """
    last = _last_marked(course)
    if last is None:
        return CourseAnswer(Kind.NONE, "No complete rating yet.")
    series = course[last].series
    rated = [place for place, one in enumerate(course) if one.total is not None and one.series == series]
    totals = [total for place in rated if (total := course[place].total) is not None]
    level = own_level(totals, parameters, low_from([course[place] for place in rated], low_point))
    reasons = {finding.rule: finding for finding in found[last]}
    since = sum(course[place].number > low_point.began for place in rated) if low_point else 0
    dates, now = [days[place] for place in rated], own_level(totals, parameters)
    said = _Said(totals, dates, level, now, reasons, course[last].total is None, since)
    kind, sentence = said.answer(parameters, low_point)
    if any(finding.rule == "G" for finding in found[-1]) and rated and rated[-1] < len(course) - 1:
        sentence += f" No complete rating since {_day(days[rated[-1]], days[-1])}."
    if level is None:
        return CourseAnswer(kind, sentence)
    tells = kind in ELSEWHERE and (level.fall if kind == Kind.FALLING else abs(level.fall)) >= ONE_POINT
    return CourseAnswer(kind, sentence, level, said.months, said.distance if tells else "")


def _last_marked(course: Sequence[CourseSession]) -> int | None:
    """The place of the last session with a total or any mark."""
    marked = (
        place
        for place in reversed(range(len(course)))
        if course[place].total is not None
        or any(mark is not None for mark in (course[place].answers or {}).values())
    )
    return next(marked, None)


@dataclass(frozen=True, slots=True)
class _Said:
    """What is known at the last rating of a series; its sentences."""

    totals: Sequence[int]
    days: Sequence[date]
    level: OwnLevel | None
    now: OwnLevel | None  # as rule J compares now, also while a low point goes on
    reasons: dict[str, Finding]
    is_partial: bool
    since_low: int  # complete ratings after the low point that goes on began

    def answer(self, p: Parameters, low_point: Rupture | None) -> tuple[Kind, str]:
        stays = self._stays(low_point)
        falls = [self.reasons[rule] for rule in FALLING_BY if rule in self.reasons]
        if any("quiet" not in finding.evidence for finding in falls):
            return Kind.FALLING, self._falling()
        # A fall that called before and has not gone much further is told by where the ratings stay.
        if falls and (stays is None or stays[0] != Kind.STAYING_LOW):
            return Kind.FALLING, self._falling()
        if any(rule in self.reasons for rule in LOWER_BY):
            return Kind.LOWER_ONCE, f"{self._lower_once()} One rating cannot say whether it lasts."
        if not self.totals:
            return Kind.NONE, "No complete rating yet."
        if stays is not None:
            return stays
        level = self.level
        if level is None or len(self.totals) <= p.own_range_minimum:
            low = " The last one is below the cutoff." if "A" in self.reasons else ""
            return Kind.TOO_FEW, f"Too few ratings to say.{low}"
        if level.is_sure and abs(level.fall) >= ONE_POINT:
            kind = Kind.LOWER if level.fall > 0 else Kind.HIGHER
            return kind, f"{kind.value.capitalize()}: {self._on_average}."
        return Kind.STEADY, f"Steady at this client's own level{self._where(p, level)}"

    def _falling(self) -> str:
        if self.is_partial:
            return "Falling, whatever was left out at the last rating."
        decline = self.reasons.get("D")
        if self.level is not None and self.level.fall >= ONE_POINT:
            return f"Falling: {self._on_average}."
        # Within a low point, and the last ratings are near the level before it.
        if self.now is not None and decline is None:
            fall, before = _points(self.now.fall), self.now.earlier
            those = "the one before them" if before == 1 else f"the {before} before them"
            return f"Falling: the last {self.now.latest} ratings are on average {fall} below {those}."
        window = decline.evidence["window"] if decline else len(self.totals)
        assert isinstance(window, int)
        first, last = points(self.totals[-window]), points(self.totals[-1])
        return f"Falling: from {first} to {last} over the last {window} ratings."

    def _lower_once(self) -> str:
        if self.is_partial:
            return "Lower at the last rating, whatever was left out."
        if "C" in self.reasons:
            fall = _points(Fraction(self.totals[-2] - self.totals[-1]))
            return f"Lower at the last rating: {fall} below the one before."
        return f"Lower at the last rating: {points(self.totals[-1])} is below this client's usual range."

    def _stays(self, low_point: Rupture | None) -> tuple[Kind, str] | None:
        """Of a low point that goes on, with ratings since that are no way back; a low start is no fall."""
        level = self.level
        if low_point is None or low_point.is_low_start or level is None or not self.since_low:
            return None
        if level.fall <= 0 or level.recent >= low_point.goal:
            return None
        if self.since_low < STAYS_FROM:
            return Kind.NOT_BACK, f"Not back yet: {self._on_average}."
        return Kind.STAYING_LOW, f"Staying low: {self._on_average}."

    def _where(self, p: Parameters, level: OwnLevel) -> str:
        if "A" not in self.reasons or p.cutoff is None:
            return "."
        return (
            ", which is below the cutoff."
            if level.mean < p.cutoff
            else ". The last rating is below the cutoff."
        )

    @property
    def months(self) -> str:
        assert self.level is not None
        return _months(self.days[self.level.first], self.days[self.level.last], self.days[-1])

    @property
    def _on_average(self) -> str:
        """The distance as a sentence: of several ratings, where a list tells that of the last one alone."""
        assert self.level is not None
        return f"the last {self.level.latest} ratings are on average {self.distance}"

    @property
    def distance(self) -> str:
        """Where the last ratings lie, in words; "level" with its months, so that it can be found in the picture."""
        assert self.level is not None
        where = "below" if self.level.fall > 0 else "above"
        return f"{_points(abs(self.level.fall))} {where} this client's level of {self.months}"


def _nearest(tenths: Fraction) -> int:
    """To the nearest whole tenth, a half away from nothing."""
    whole = (2 * abs(tenths.numerator) + tenths.denominator) // (2 * tenths.denominator)
    return whole if tenths > 0 else -whole


def _points(tenths: Fraction) -> str:
    return points_apart(_nearest(tenths))


def _months(first: date, last: date, now: date) -> str:
    """Of which months, with the year where it is not that of the last rating."""
    until = f"{last:%B}" if last.year == now.year else f"{last:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return until
    return f"{first:%B} to {until}" if first.year == last.year else f"{first:%B %Y} to {last:%B %Y}"


def _day(day: date, now: date) -> str:
    return f"{day.day} {day:%B}" if day.year == now.year else f"{day.day} {day:%B %Y}"
