"""The picture of a course as an inline SVG: on paper, before the chart is drawn, and where no script runs.

The same figures in the same frame as the chart (`charts`). Colours come from static/dashboard/chart.css.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from alliance.measurement.handbook import RULES
from alliance.measurement.scoring import points
from sessions_app.dashboards.course_frame import (
    CEILING,
    FLOOR,
    LOW_POINTS,
    MANY,
    NOT_RATED,
    TALKS,
    TOTAL_FROM,
    WORDS_AT,
    changes,
    domain,
    last_values,
    share,
    side,
    talk_groups,
    ticks_of_totals,
    usual_label,
)
from sessions_app.dashboards.course_picture import SHAPES, CoursePicture, Stop

# In whole units of the picture, two to a pixel of a tablet: a fraction in each place would double a long course.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1520, 1100, 144, 1440, 8, 1044
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
# From the finest: whole months, or days where a course is short.
STEPS_IN_MONTHS = (1, 2, 3, 6, 12, 24)
MOST_TICKS = 9


class _Plane:
    """Where a moment and a value stand in the picture."""

    def __init__(self, course: CoursePicture) -> None:
        self.course = course

    def x(self, at: datetime) -> int:
        return round(LEFT + share(self.course, at) * (RIGHT - LEFT))

    def y(self, points_of_total: float) -> int:
        return self._height(
            points_of_total, FLOOR * self.course.scale, CEILING * self.course.scale, TOTAL_FROM, 1
        )

    def line_y(self, place: int, points_of_line: float) -> int:
        """Of the line at `place`, from 0."""
        top = self.course.instrument.items[place].maximum / 10
        return self._height(points_of_line, -0.8, top + 0.8, *domain(place, len(self.course.lines)))

    @staticmethod
    def _height(value: float, floor: float, ceiling: float, low: float, high: float) -> int:
        along = low + (value - floor) / (ceiling - floor) * (high - low)
        return round(BOTTOM - along * (BOTTOM - TOP))


def drawing(course: CoursePicture) -> SafeString:
    """The picture; its words stand beside it on the page (`course-words`)."""
    plane = _Plane(course)
    parts = [
        _dots(plane),
        *_level(plane),
        *_frame(plane),
        *_time(plane),
        *_usual(plane),
        *_total(plane),
        *_reasons(plane),
    ]
    parts += [*_rows(plane), *_lines(plane), *_forms(plane)]
    return format_html(
        '<svg class="drawing" viewBox="0 0 {} {}" role="img" aria-labelledby="course-answer"'
        ' aria-describedby="course-words">{}</svg>',
        WIDTH,
        HEIGHT,
        mark_safe("".join(parts)),  # noqa: S308 - each part is escaped already
    )


# --- The frame ------------------------------------------------------------------------------------


def _frame(plane: _Plane) -> Iterator[SafeString]:
    course = plane.course
    top = course.instrument.total_maximum / 10
    for part in range(5):
        yield _path("grid", f"M{LEFT} {plane.y(top * part / 4)}H{RIGHT}")
    if course.cutoff is not None:
        yield _path("cutoff", f"M{LEFT} {plane.y(course.cutoff / 10)}H{RIGHT}")
    for at, text in ticks_of_totals(course).items():
        yield _text("axis", LEFT - 12, plane.y(at) + 8, text, "right")


def _time(plane: _Plane) -> Iterator[SafeString]:
    ticks = time_ticks(plane.course.first, plane.course.last)
    yield _path("grid", "".join(f"M{plane.x(at)} {TOP}V{BOTTOM}" for at, _ in ticks))
    for at, text in ticks:
        yield _text("axis", plane.x(at), BOTTOM + 36, text, "center")


def time_ticks(first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    """At most nine moments of the time axis, with a day or a month each; the year at the first and where it changes."""
    if last - first < timedelta(days=70):
        step = timedelta(days=1 + (last - first).days // (MOST_TICKS - 1))
        day = first.replace(hour=0, minute=0) + timedelta(days=1)
        days = []
        while day < last:
            days.append(day)
            day += step
        return _worded(days, "%d %b")
    months = [datetime(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13)]
    inside = [month for month in months if first < month < last]
    step_in_months = next((step for step in STEPS_IN_MONTHS if len(inside) <= MOST_TICKS * step), 60)
    return _worded([one for one in inside if (one.year * 12 + one.month - 1) % step_in_months == 0], "%b")


def _worded(moments: Sequence[datetime], style: str) -> list[tuple[datetime, str]]:
    worded = []
    year = 0
    for at in moments:
        text = f"{at:{style}}".removeprefix("0")
        worded.append((at, f"{text} {at.year}" if at.year != year else text))
        year = at.year
    return worded


def _forms(plane: _Plane) -> Iterator[SafeString]:
    for at, name in changes(plane.course):
        yield _path("form", f"M{plane.x(at)} {TOP}V{BOTTOM}")
        where = "right" if side(plane.course, at) == "right" else "left"
        yield _text("axis", plane.x(at), plane.y(plane.course.scale), f"{name} →", where)


# --- The total ------------------------------------------------------------------------------------


def _level(plane: _Plane) -> Iterator[SafeString]:
    course, level = plane.course, plane.course.level
    if level is None:
        return
    first, last = (plane.x(at) for at in level.ends(course))
    lower, upper = plane.y(level.lower / 10), plane.y(level.upper / 10)
    mean, recent, end = plane.y(level.mean / 10), plane.y(level.recent / 10), plane.x(course.rated[-1].at)
    yield _path("sure", f"M{first} {lower}H{last}V{upper}H{first}Z")
    yield _path("level", f"M{first} {mean}H{last}")
    yield _path("gap", f"M{last} {mean}H{end}" + (f"V{recent}" if level.shows_gap else ""))
    yield _text("words", end, plane.y(WORDS_AT * course.scale) - 6, level.words, "right")


def _usual(plane: _Plane) -> Iterator[SafeString]:
    """Both ends; the upper one only where it is below the top of the scale."""
    top = plane.course.instrument.total_maximum
    ways = []
    for is_lower in (True, False):
        run: list[tuple[int, int]] = []
        for stop in plane.course.stops:
            end = stop.usual and (stop.usual.lower if is_lower else stop.usual.upper)
            is_drawn = end is not None and (is_lower or end < top)
            if stop.begins_form or not is_drawn:
                ways.append(_way(run))
                run = []
            if end is not None and is_drawn:
                run.append((plane.x(stop.at), plane.y(end / 10)))
        ways.append(_way(run))
    yield _path("usual", "".join(ways))
    first = usual_label(plane.course)
    if first and first.usual:
        yield _text("small", plane.x(first.at), plane.y(first.usual.lower / 10) + 24, "usual range", "left")


def _total(plane: _Plane) -> Iterator[SafeString]:
    yield _course(
        plane, "total", [[(stop, plane.y(value / 10)) for stop, value in run] for run in plane.course.runs()]
    )


def _course(plane: _Plane, name: str, runs: Sequence[Sequence[tuple[Stop, int]]]) -> SafeString:
    """A line through the figures of each run, and a dot at each."""
    d = "".join(_way([(plane.x(stop.at), y) for stop, y in run]) for run in runs)
    dot = f"url(#dot-{name})"
    return format_html(
        '<path class="{}" d="{}" marker-start="{}" marker-mid="{}" marker-end="{}"/>', name, d, dot, dot, dot
    )


def _way(places: Sequence[tuple[int, int]]) -> str:
    """A path through these places, each written from the one before, which is shorter."""
    if not places:
        return ""
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(places)] or [(0, 0)]
    (x, y), *_ = places
    return f"M{x} {y}l" + " ".join(f"{a} {b}" for a, b in steps)


def _dots(plane: _Plane) -> SafeString:
    """How big a dot is, of the total and of the lines."""
    many = len(plane.course.rated) > MANY
    sizes = (("total", 8, 4), ("line", 5, 3))
    markers = [
        format_html(
            '<marker id="dot-{}" markerUnits="userSpaceOnUse" markerWidth="20" markerHeight="20" refX="10" refY="10">'
            '<circle class="dot" cx="10" cy="10" r="{}"/></marker>',
            name,
            small if many else usual,
        )
        for name, usual, small in sizes
    ]
    return format_html("<defs>{}{}</defs>", *markers)


def _reasons(plane: _Plane) -> Iterator[SafeString]:
    shrunk = 0.65 if len(plane.course.rated) > MANY else 1
    ways: dict[tuple[str, bool], str] = defaultdict(str)
    for stop in plane.course.stops:
        if stop.drawn and stop.total is not None:
            size = (18 if stop.calls else 12) * shrunk
            x, y = plane.x(stop.at), plane.y(stop.total / 10)
            corners = [(round(x + size * a), round(y + size * b)) for a, b in SHAPES[stop.drawn].corners]
            ways[stop.drawn, stop.calls] += f"{_way(corners)}z"
    for (_, calls), d in ways.items():
        yield _path("reason calls" if calls else "reason", d)
    for stop in plane.course.labelled():
        assert stop.total is not None
        x, y = plane.x(stop.at), plane.y(stop.total / 10) + 44
        yield _text("reason-word", x, y, RULES[stop.drawn].name, side(plane.course, stop.at))


def _rows(plane: _Plane) -> Iterator[SafeString]:
    """Under the scale: low points, sessions without a rating, talks."""
    course = plane.course
    at = plane.y(LOW_POINTS * course.scale)
    for is_back, name in ((True, "low-point back"), (False, "low-point")):
        bars = [(plane.x(one.first), plane.x(one.last)) for one in course.stretches if one.is_back == is_back]
        yield _path(name, "".join(f"M{first} {at}H{last}" for first, last in bars))
    at = plane.y(NOT_RATED * course.scale)
    unrated = [(plane.x(stop.at), "G" in stop.reasons) for stop in course.stops if stop.total is None]
    hollow = [f"M{x - 8} {at}a8 8 0 1 0 16 0a8 8 0 1 0 -16 0" for x, _ in unrated]
    crossed = [f"M{x} {at}m-5 -5l10 10m0 -10l-10 10" for x, is_reason in unrated if is_reason]
    yield _path("hollow", "".join([*hollow, *crossed]))
    at = plane.y(TALKS * course.scale)
    for moment, numbers in talk_groups(course, RIGHT - LEFT, apart=56):
        x = plane.x(moment)
        half = 18 if len(numbers) < 3 else 7 * len(numbers)
        yield format_html(
            '<rect class="talk" x="{}" y="{}" width="{}" height="36" rx="18"/>',
            x - half,
            at - 18,
            2 * half,
        )
        yield _text("small", x, at + 8, numbers, "center")


# --- The lines beneath ----------------------------------------------------------------------------


def _lines(plane: _Plane) -> Iterator[SafeString]:
    course = plane.course
    for place, (line, heading) in enumerate(course.lines):
        top = course.instrument.items[place].maximum // 10
        for value in (0, top):
            yield _path("grid", f"M{LEFT} {plane.line_y(place, value)}H{RIGHT}")
            yield _text("axis", LEFT - 12, plane.line_y(place, value) + 8, str(value), "right")
        yield _text("name", LEFT, plane.line_y(place, top) - 10, heading, "left")
        runs = [[(stop, plane.line_y(place, value / 10)) for stop, value in run] for run in course.runs(line)]
        yield _course(plane, "line", runs)
    for place, value in last_values(course):
        y = plane.y(value / 10) if place == 1 else plane.line_y(place - 2, value / 10)
        yield _text("words" if place == 1 else "axis", RIGHT + 8, y + 8, points(value), "left")


# --- Small things ---------------------------------------------------------------------------------


def _path(name: str, d: str) -> SafeString:
    return format_html('<path class="{}" d="{}"/>', name, d) if d else SafeString("")


def _text(name: str, x: int, y: int, text: str, where: str) -> SafeString:
    return format_html(
        '<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>',
        name,
        x,
        y,
        ANCHORS[where],
        text,
    )
