"""The small picture of one scale: its totals over time, with its own range and its cutoffs. As an inline SVG.

One scale a picture, always. Two that are read together stand under each other with the same `Frame` of time.
Colours come from static/dashboard/chart.css.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from alliance.measurement.scoring import scale_end
from sessions_app.dashboards.course_drawing import time_ticks

# In whole units, two to a pixel of a tablet, as in the picture of the course.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1520, 420, 110, 1220, 30, 360
LEAST = timedelta(days=3)  # of room before the first point and after the last one


@dataclass(frozen=True)
class Frame:
    """From when to when a picture reaches, in the clinic's time without its zone."""

    first: datetime
    last: datetime

    def share(self, at: datetime) -> float:
        return (_local(at) - self.first) / (self.last - self.first)


def frame(moments: Iterable[datetime]) -> Frame:
    """One that holds all of these; raises ValueError where there is none."""
    local = sorted(map(_local, moments))
    if not local:
        raise ValueError("There is nothing to draw.")
    room = max(LEAST, (local[-1] - local[0]) / 40)
    return Frame(local[0] - room, local[-1] + room)


def _local(at: datetime) -> datetime:
    return timezone.localtime(at).replace(tzinfo=None)


@dataclass(frozen=True)
class Line:
    """One course. totals: (moment, tenths) or (moment, None) for a gap; levels: (tenths, what it is called)."""

    totals: Sequence[tuple[datetime, int | None]]
    low: int
    high: int
    levels: Sequence[tuple[int, str]] = ()


def drawing(line: Line, within: Frame, *, labelled_by: str) -> SafeString:
    """labelled_by: the ids of the words on the page that say the same."""
    parts = [*_scale(line), *_time(within), *_levels(line), _course(line, within)]
    return format_html(
        '<svg class="drawing drawing--small" viewBox="0 0 {} {}" role="img" aria-labelledby="{}">{}</svg>',
        WIDTH,
        HEIGHT,
        labelled_by,
        mark_safe("".join(parts)),  # noqa: S308 - each part is escaped already
    )


def _y(line: Line, tenths: int) -> int:
    return round(BOTTOM - (tenths - line.low) / (line.high - line.low) * (BOTTOM - TOP))


def _x(within: Frame, at: datetime) -> int:
    return round(LEFT + within.share(at) * (RIGHT - LEFT))


def _scale(line: Line) -> Iterator[SafeString]:
    for tenths in (line.low, line.high):
        yield format_html('<path class="grid" d="M{} {}H{}"/>', LEFT, _y(line, tenths), RIGHT)
        yield _text("axis", LEFT - 12, _y(line, tenths) + 8, scale_end(tenths), "end")


def _time(within: Frame) -> Iterator[SafeString]:
    for place, (at, text) in enumerate(time_ticks(within.first, within.last)):
        x = round(LEFT + (at - within.first) / (within.last - within.first) * (RIGHT - LEFT))
        yield format_html('<path class="grid" d="M{} {}V{}"/>', x, TOP, BOTTOM)
        # A phone has room for every third word.
        yield _text("axis" if place % 3 == 0 else "axis wide", x, BOTTOM + 36, text, "middle")


def _levels(line: Line) -> Iterator[SafeString]:
    for tenths, name in line.levels:
        y = _y(line, tenths)
        yield format_html('<path class="cutoff" d="M{} {}H{}"/>', LEFT, y, RIGHT)
        if abs(y - TOP) > 24 and abs(y - BOTTOM) > 24:
            # On a phone words are twice as large, and this one would lie on the end of the scale.
            is_near_an_end = min(y - TOP, BOTTOM - y) <= 60
            name_of_it = "axis wide" if is_near_an_end else "axis"
            yield _text(name_of_it, LEFT - 12, y + 8, scale_end(tenths), "end")
        yield _text("small", RIGHT + 12, y + 8, name, "start")


def _course(line: Line, within: Frame) -> SafeString:
    """A stroke through the totals, broken where one is missing, and a dot at each."""
    path, dots, is_down = [], [], False
    for at, total in line.totals:
        if total is None:
            is_down = False
            continue
        x, y = _x(within, at), _y(line, total)
        path.append(f"{'L' if is_down else 'M'}{x} {y}")
        dots.append(format_html('<circle class="dot" cx="{}" cy="{}" r="8"/>', x, y))
        is_down = True
    stroke = format_html('<path class="total" d="{}"/>', "".join(path)) if path else ""
    last = ""
    if dots:
        at, total = [(one, value) for one, value in line.totals if value is not None][-1]
        last = _text("words", _x(within, at), _beside(line, total), scale_end(total), "middle")
    return format_html("{}{}{}", stroke, mark_safe("".join(dots)), last)  # noqa: S308 - escaped already


def _beside(line: Line, total: int) -> int:
    """Where the figure of the last dot stands: above it, or below where a level would strike it through."""
    y = _y(line, total)
    is_struck = any(y - 60 < _y(line, tenths) < y for tenths, _name in line.levels)
    return y + 56 if is_struck and y + 60 < BOTTOM else y - 20


def _text(name: str, x: int, y: int, text: str, anchor: str) -> SafeString:
    return format_html('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>', name, x, y, anchor, text)
