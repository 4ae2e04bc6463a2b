"""What the picture of a course shows, as plain figures: the page's chart and the drawing for paper are made of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from alliance.measurement.course_answer import CourseAnswer, answer
from alliance.measurement.flag_rules import Finding
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import RepairState, Rupture
from alliance.measurement.scoring import points
from alliance.measurement.trends import usual_range
from sessions_app.conversations.repairs import WORDS
from sessions_app.courses.wordings import name_of
from sessions_app.flags.course import RatedSession, as_course_session
from sessions_app.flags.models import Discussion


class Shape(NamedTuple):
    """How a reason is drawn, told apart without colour: Plotly's name, the sign in a text, the corners on paper."""

    symbol: str
    sign: str
    corners: tuple[tuple[float, float], ...]  # around 0, 0; within 1


# Of what stands around a point. B and F say nothing of a fall and are not drawn; G is the hollow mark itself.
SHAPES: Mapping[str, Shape] = {
    "J": Shape("triangle-down-open", "▽", ((-1, -0.7), (1, -0.7), (0, 1))),
    "C": Shape("diamond-open", "◇", ((0, -1), (1, 0), (0, 1), (-1, 0))),
    "E": Shape("square-open", "□", ((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8))),
    "D": Shape("pentagon-open", "⬠", ((0, -1), (0.95, -0.31), (0.59, 0.81), (-0.59, 0.81), (-0.95, -0.31))),
    "A": Shape("triangle-up-open", "△", ((0, -1), (1, 0.7), (-1, 0.7))),
}
LOW_POINTS_TOLD = 3
TOO_MANY_FOR_WORDS = 150  # ratings, between which a word could not be read; each point tells it
LONGEST_MARGIN = timedelta(days=60)


class Usual(NamedTuple):
    """Its ends as they are drawn, and the lowest and highest whole tenth inside, as a flag names them."""

    lower: float
    upper: float
    lowest: int
    highest: int


class Stretch(NamedTuple):
    """A low point: from when to when; `is_back`: whether the ratings came back."""

    first: datetime
    last: datetime
    is_back: bool


class Tick(NamedTuple):
    """A talk: its number in the course, when it was, the session it was about."""

    number: int
    at: datetime
    session: int


class OwnLevelLine(NamedTuple):
    """The own level over the ratings it rests on, in tenths; recent: where the last ratings lie.

    words: what stands at its end. shows_gap: whether they tell of the distance between the two. months: of these
    ratings. tenths: the level as it is written.
    """

    first: datetime
    last: datetime
    mean: float
    lower: float
    upper: float
    recent: float
    words: str
    shows_gap: bool
    months: str
    tenths: int

    def ends(self, course: "CoursePicture") -> tuple[datetime, datetime]:
        """From where to where it is drawn: a level of one rating needs some width too."""
        width = (course.last - course.first) * 0.02
        return (
            (self.first - width, self.last + width)
            if self.last - self.first < width
            else (self.first, self.last)
        )


@dataclass(frozen=True)
class Stop:
    """One attended session. at: in the clinic's time, without a zone; reasons: letters, the strongest first.

    drawn: the reason whose shape stands around the point; calls: whether it calls for a talk.
    """

    number: int
    at: datetime
    total: int | None
    marks: Mapping[str, int | None]
    series: str
    begins_form: str  # the name of another form that was used from here on
    usual: Usual | None
    reasons: tuple[str, ...] = ()
    drawn: str = ""
    calls: bool = False

    @property
    def is_marked(self) -> bool:
        return self.total is not None or any(mark is not None for mark in self.marks.values())


@dataclass(frozen=True)
class CoursePicture:
    """stops: in the order of the sessions. first, last: the ends of the time axis."""

    stops: Sequence[Stop]
    instrument: Instrument
    cutoff: int | None
    first: datetime
    last: datetime
    answer: CourseAnswer
    level: OwnLevelLine | None
    ticks: Sequence[Tick] = ()
    stretches: Sequence[Stretch] = field(default_factory=list)

    @property
    def rated(self) -> list[Stop]:
        return [stop for stop in self.stops if stop.total is not None]

    @property
    def scale(self) -> float:
        """The frame is given for a scale of 40 points."""
        return self.instrument.total_maximum / 400

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Id and heading of each line."""
        return [(item.id, item.label[:1].upper() + item.label[1:]) for item in self.instrument.items]

    def runs(self, line: str = "") -> list[list[tuple[Stop, int]]]:
        """The stretches within which a line is drawn: not over a session without the figure, nor to another form."""
        runs: list[list[tuple[Stop, int]]] = [[]]
        for stop in self.stops:
            value = stop.marks.get(line) if line else stop.total
            if value is None or stop.begins_form:
                runs.append([])
            if value is not None:
                runs[-1].append((stop, value))
        return [run for run in runs if run]

    def labelled(self) -> list[Stop]:
        """The stops whose reason is written beside them: the newest of each, where there is room for the word."""
        if len(self.rated) > TOO_MANY_FOR_WORDS:
            return []
        span = self.last - self.first
        chosen: list[Stop] = []
        for stop in reversed(self.stops):
            is_new = stop.drawn and all(other.drawn != stop.drawn for other in chosen)
            if is_new and all(abs(other.at - stop.at) > span * 0.2 for other in chosen):
                chosen.append(stop)
        return chosen


def picture(
    course: Sequence[RatedSession],
    parameters: Parameters,
    instrument: Instrument,
    talks: Iterable[Discussion] = (),
    ruptures: Sequence[Rupture] = (),
    *,
    now: datetime,
    is_open: bool = False,
) -> CoursePicture:
    """The picture of one episode's attended sessions. parameters, instrument: those of its last rating.

    talks: oldest first.
    is_open: the time axis then ends today, so that a gap since the last session is one.
    """
    usual = _usual_ranges(course)
    stops = [_stop(one, usual[place]) for place, one in enumerate(course)]
    ticks = [
        Tick(number, _local(talk.discussed_at), talk.session.number)
        for number, talk in enumerate(talks, start=1)
    ]
    said = _answer(course, stops, parameters, ruptures, now)
    first, last = _ends(stops, ticks, _local(now), is_open=is_open)
    return CoursePicture(
        stops=stops,
        instrument=instrument,
        cutoff=parameters.cutoff,
        first=first,
        last=last,
        answer=said,
        level=_level_line(stops, said),
        ticks=ticks,
        stretches=_stretches(stops, ruptures, last),
    )


def in_words(course: CoursePicture, ruptures: Iterable[Rupture] = ()) -> str:
    """The figures behind the answer, in a few sentences; also for those who do not see the picture."""
    rated = course.rated
    if not rated:
        return "No complete rating yet."
    totals = [stop.total for stop in rated if stop.total is not None]
    words = f"{_count(len(totals), 'complete rating')} in {_count(len(course.stops), 'attended session')}: "
    if len(totals) > 1 and min(totals) == max(totals):
        words += f"each {points(totals[-1])}."
    else:
        words += f"the last one {points(totals[-1])}"
        words += f", all between {points(min(totals))} and {points(max(totals))}." if len(totals) > 1 else "."
    for stop in course.stops:
        if stop.begins_form:
            words += f" From session {stop.number} on another form: {stop.begins_form}."
    if level := course.level:
        sure = f"{points(round(level.lower))} to {points(round(level.upper))}"
        words += f" Own level of {level.months}: {points(level.tenths)} ({sure})."
    if usual := rated[-1].usual:
        words += f" Usual range before the last one: {points(usual.lowest)} to {points(usual.highest)}."
    if course.cutoff is not None:
        words += f" Cutoff: {points(course.cutoff)}."
    return words + _low_points(list(ruptures))


# --- Pieces ---------------------------------------------------------------------------------------


def _answer(
    course: Sequence[RatedSession],
    stops: Sequence[Stop],
    parameters: Parameters,
    ruptures: Sequence[Rupture],
    now: datetime,
) -> CourseAnswer:
    return answer(
        [as_course_session(one.session, one.rating, now) for one in course],
        [one.findings for one in course],
        [stop.at.date() for stop in stops],
        parameters,
        next((one for one in reversed(ruptures) if one.ended is None), None),
    )


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment).replace(tzinfo=None)


def _stop(one: RatedSession, usual: Usual | None) -> Stop:
    rating = one.rating
    reasons = sorted(one.findings, key=_order)
    drawn = next((finding for finding in reasons if _is_drawn(finding)), None)
    is_marked = rating is not None and rating.total is not None
    return Stop(
        number=one.session.number,
        at=_local(one.session.held_at),
        total=rating.total if rating else None,
        marks=rating.marks if rating and not rating.is_total_only else {},
        series=rating.series if rating else "",
        begins_form=name_of(rating) if rating and one.changes_form else "",
        usual=usual,
        reasons=tuple(finding.rule for finding in reasons),
        drawn=drawn.rule if drawn and is_marked else "",
        calls=any(finding.on_work_list for finding in reasons),
    )


def _order(finding: Finding) -> tuple[bool, int]:
    """What calls for a talk first; of these as SHAPES has them, what lasts before what one rating shows."""
    letters = list(SHAPES)
    return not finding.on_work_list, letters.index(finding.rule) if finding.rule in letters else len(letters)


def _is_drawn(finding: Finding) -> bool:
    """Not a level that goes on: it would stand around each point."""
    return finding.rule in SHAPES and (finding.on_work_list or finding.rule != "A" or finding.is_new)


def _usual_ranges(course: Sequence[RatedSession]) -> list[Usual | None]:
    """The range expected at each session from the ratings of its form before it, in tenths."""
    totals: dict[str, list[int]] = defaultdict(list)
    series, parameters = "", None
    found: list[Usual | None] = []
    for one in course:
        # A session without a rating has the range of the form that was used last.
        if one.rating:
            series, parameters = one.rating.series, one.parameters
        usual = usual_range(totals[series], parameters) if parameters else None
        found.append(Usual(usual.lower, usual.upper, usual.lowest, usual.highest) if usual else None)
        if one.rating and one.rating.total is not None:
            totals[series].append(one.rating.total)
    return found


def _ends(
    stops: Sequence[Stop], ticks: Sequence[Tick], now: datetime, *, is_open: bool
) -> tuple[datetime, datetime]:
    """The ends of the time axis, with a margin."""
    moments = [*(stop.at for stop in stops), *(tick.at for tick in ticks)] or [now]
    if is_open:
        moments.append(now.replace(hour=23, minute=59, second=0, microsecond=0))
    first, last = min(moments), max(moments)
    margin = min(max((last - first) * 0.025, timedelta(days=3)), LONGEST_MARGIN)
    return first - margin, last + margin


def _level_line(stops: Sequence[Stop], said: CourseAnswer) -> OwnLevelLine | None:
    level = said.level
    if level is None:
        return None
    series = next(stop.series for stop in reversed(stops) if stop.is_marked)
    rated = [stop for stop in stops if stop.total is not None and stop.series == series]
    return OwnLevelLine(
        first=rated[level.first].at,
        last=rated[level.last].at,
        mean=float(level.mean),
        lower=level.lower,
        upper=level.upper,
        recent=float(level.recent),
        words=said.distance or f"this client's level of {said.months}: {points(level.tenths)}",
        shows_gap=bool(said.distance),
        months=said.months,
        tenths=level.tenths,
    )


def _stretches(stops: Sequence[Stop], ruptures: Sequence[Rupture], last: datetime) -> list[Stretch]:
    at = {stop.number: stop.at for stop in stops}
    return [
        Stretch(
            at[one.began],
            last if one.ended is None else at[one.ended],
            one.state in (RepairState.BACK_ONCE, RepairState.RECOVERED),
        )
        for one in ruptures
    ]


def _low_points(ruptures: Sequence[Rupture]) -> str:
    lows = [f"session {one.began} ({WORDS[one.state]}{_until(one)})" for one in ruptures[-LOW_POINTS_TOLD:]]
    earlier = len(ruptures) - len(lows)
    before = f" {_count(earlier, 'earlier low point')}." if earlier else ""
    return f" Low points: {', '.join(lows)}.{before}" if lows else ""


def _until(rupture: Rupture) -> str:
    return f" in session {rupture.ended}" if rupture.state == RepairState.RECOVERED else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
