"""The example of a rule as an inline SVG, and a hundred dots of which some are filled.

Drawn from the course and from what the rules found in it, so that a picture cannot show a flag that the rules
would not raise. Colours come from static/rules/rules.css.
"""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from alliance.measurement.examples import Example
from alliance.measurement.instruments import Instrument, Item
from alliance.measurement.parameters import Parameters
from alliance.measurement.scoring import points, points_apart, scale_end
from alliance.measurement.trends import usual_range

# In units of the picture; about a pixel each on a phone.
WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 34, 348, 16, 176
ROW, TRACK_LEFT = 34, 136
NOTHING = SafeString("")


class _Plane:
    """Where a total (tenths) and a session stand in the picture."""

    def __init__(self, shown: Example) -> None:
        p = shown.parameters
        drawn = [total for total in shown.totals if total is not None]
        drawn += [level for level in (_level(shown), *_band_lows(shown)) if level is not None]
        self.top = p.total_maximum
        # A multiple of 5 points with room below; a whole scale would press the course into a line.
        self.floor = max(min(drawn) // 50 * 50 - 10, p.total_minimum - 10)
        self.count = max(len(shown.sessions), 2)

    def x(self, number: int) -> float:
        inner = RIGHT - LEFT - 36
        return round(LEFT + 18 + (number - 1) / (self.count - 1) * inner, 1)

    def y(self, total: float) -> float:
        return round(TOP + (self.top - total) / (self.top - self.floor) * (BOTTOM - TOP), 1)

    @property
    def ticks(self) -> list[int]:
        step = 50 if self.top - self.floor > 120 else 20
        return [level for level in range(self.top, self.floor, -step) if level > self.floor]


def drawing(shown: Example, instrument: Instrument) -> SafeString:
    """The example as a picture with a text alternative."""
    if shown.letter in "BL":
        return _lines(shown, instrument)
    plane = _Plane(shown)
    parts = [_window(shown, plane), _band(shown, plane), _axes(shown, plane), _cutoff(shown, plane)]
    parts += [_course(shown, plane), _fall(shown, plane), *_points(shown, plane)]
    return _svg(HEIGHT, in_words(shown, instrument), parts)


def in_words(shown: Example, instrument: Instrument) -> str:
    """What the picture shows, for those who do not see it."""
    if shown.letter == "B":
        marks = shown.sessions[-1].answers or {}
        said = ", ".join(f"{instrument.item(line).label} {points(mark or 0)}" for line, mark in marks.items())
        level = points(shown.parameters.item_cutoff or 0)
        return f"Example: one rating with {said}. The flag is raised at what is below {level}."
    if shown.letter == "L":
        lines = _left_out(shown)
        return (
            f"Example: two ratings, both without {' and '.join(instrument.item(one).label for one in lines)}."
        )
    totals = ", ".join("no rating" if total is None else points(total) for total in shown.totals)
    where = ", ".join(str(number) for number in shown.raised_at)
    plural = "sessions" if len(shown.raised_at) > 1 else "session"
    return f"Example: totals by session: {totals}. The flag is raised at {plural} {where}.{_beside(shown)}"


def a_hundred(filled: int) -> SafeString:
    """A hundred dots, `filled` of them full: a share as something to count."""
    dots = [(place % 20 * 16 + 8, place // 20 * 16 + 8, place < filled) for place in range(100)]
    circles = [(x, y, "full" if full else "empty") for x, y, full in dots]
    return format_html(
        '<svg class="hundred" viewBox="0 0 320 80" role="img" aria-label="{} of 100 dots are filled">{}</svg>',
        filled,
        format_html_join("", '<circle cx="{}" cy="{}" r="5.5" class="{}"/>', circles),
    )


# --- Pieces ----------------------------------------------------------------------------------------


def _svg(height: int, words: str, parts: Sequence[SafeString]) -> SafeString:
    return format_html(
        '<svg class="example" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        height,
        words,
        mark_safe("".join(parts)),  # noqa: S308 - each part is escaped already
    )


def _axes(shown: Example, plane: _Plane) -> SafeString:
    levels = [
        (LEFT, plane.y(tick), RIGHT, LEFT - 6, plane.y(tick) + 4, scale_end(tick)) for tick in plane.ticks
    ]
    numbers = [(plane.x(one.number), BOTTOM + 16, one.number) for one in shown.sessions]
    return format_html(
        '{}{}<text class="axis" x="{}" y="{}" text-anchor="middle">Session</text>',
        format_html_join(
            "",
            '<path class="grid" d="M{} {}H{}"/><text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
            levels,
        ),
        format_html_join("", '<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>', numbers),
        (LEFT + RIGHT) / 2,
        BOTTOM + 31,
    )


def _level(shown: Example) -> int | None:
    """The level the rule compares with, where it is one: for a lasting fall the mean of the ratings before it."""
    p: Parameters = shown.parameters
    if shown.letter == "J":
        before = shown.finding.evidence["before"]
        assert isinstance(before, int)
        return before
    return {"A": p.cutoff, "F": p.flat_top}.get(shown.letter)


def _cutoff(shown: Example, plane: _Plane) -> SafeString:
    level = _level(shown)
    if level is None:
        return NOTHING
    y = plane.y(level)
    # Where the course is not: a lasting fall ends low, what is below a cutoff begins high.
    word, x, below, anchor = (
        ("mean before", RIGHT, -5, "end") if shown.letter == "J" else ("level", LEFT + 4, 13, "start")
    )
    return format_html(
        '<path class="cutoff" d="M{} {}H{}"/><text class="note" x="{}" y="{}" text-anchor="{}">{} {}</text>',
        *(LEFT, y, RIGHT),
        *(x, round(y + below, 1), anchor, word, points(level)),
    )


def _bands(shown: Example) -> list[tuple[int, float, float]]:
    """(session, lower, upper) of the usual range before each session that has one."""
    if shown.letter != "E":
        return []
    totals = [total for total in shown.totals if total is not None]
    ranges = [(place, usual_range(totals[:place], shown.parameters)) for place in range(len(totals))]
    return [(place + 1, usual.lower, usual.upper) for place, usual in ranges if usual]


def _band_lows(shown: Example) -> list[int]:
    return [int(lower) for _, lower, _ in _bands(shown)]


def _band(shown: Example, plane: _Plane) -> SafeString:
    bands = _bands(shown)
    if not bands:
        return NOTHING
    upper = [(plane.x(number), plane.y(high)) for number, _, high in bands]
    lower = [(plane.x(number), plane.y(low)) for number, low, _ in reversed(bands)]
    corners = format_html_join(" ", "{},{}", [*upper, *lower])
    x, y = upper[0]
    return format_html(
        '<polygon class="band" points="{}"/><text class="note" x="{}" y="{}">usual range</text>',
        corners,
        x + 6,
        y + 14,
    )


def _window(shown: Example, plane: _Plane) -> SafeString:
    """The ratings the finding rests on, where it says how many."""
    evidence = shown.finding.evidence
    length = next((evidence[key] for key in ("window", "sessions", "ratings") if key in evidence), None)
    if not isinstance(length, int):
        return NOTHING
    last = shown.sessions[-1].number
    x, until = plane.x(last - length + 1) - 9, plane.x(last) + 9
    return format_html(
        '<rect class="window" x="{}" y="{}" width="{}" height="{}" rx="4"/>'
        '<text class="note" x="{}" y="{}" text-anchor="middle">the last {}</text>',
        x,
        TOP - 8,
        round(until - x, 1),
        BOTTOM - TOP + 8,
        round((x + until) / 2, 1),
        BOTTOM - 6,
        length,
    )


def _fall(shown: Example, plane: _Plane) -> SafeString:
    """How far the total fell since the last time."""
    if shown.letter != "C":
        return NOTHING
    before, now = shown.totals[-2:]
    number = shown.sessions[-1].number
    assert before is not None
    assert now is not None
    x, y = plane.x(number), plane.y(before)
    return format_html(
        '<path class="cutoff" d="M{} {}H{}V{}"/><text class="note" x="{}" y="{}" text-anchor="end">{}</text>',
        plane.x(number - 1),
        y,
        x,
        plane.y(now),
        x - 16,
        round(plane.y(now) + 4, 1),
        f"{points_apart(before - now)} lower",
    )


def _course(shown: Example, plane: _Plane) -> SafeString:
    """The line through the totals, broken where nothing was rated."""
    path, pen = [], "M"
    for session in shown.sessions:
        if session.total is None:
            pen = "M"
            continue
        path.append(f"{pen}{plane.x(session.number)} {plane.y(session.total)}")
        pen = "L"
    return format_html('<path class="line" d="{}"/>', " ".join(path))


def _points(shown: Example, plane: _Plane) -> list[SafeString]:
    drawn = []
    for session, finding in zip(shown.sessions, shown.findings, strict=True):
        x = plane.x(session.number)
        y = BOTTOM - 12 if session.total is None else plane.y(session.total)
        if session.total is None:
            drawn.append(
                format_html(
                    '<circle class="gap" cx="{}" cy="{}" r="5"/>'
                    '<text class="note" x="{}" y="{}" text-anchor="middle">no rating</text>',
                    *(x, y, x, y - 16),
                )
            )
        else:
            drawn.append(format_html('<circle class="dot" cx="{}" cy="{}" r="4"/>', x, y))
        if finding is not None:
            drawn.append(_diamond(x, y, session.number))
    return drawn


def _diamond(x: float, y: float, place: int | str) -> SafeString:
    return format_html(
        '<path class="raised" d="M{} {}l9 9 -9 9 -9 -9z" data-raised="{}"/>', x, round(y - 9, 1), place
    )


def _left_out(shown: Example) -> list[str]:
    lines = shown.finding.evidence["lines"]
    assert isinstance(lines, list)
    return [str(line) for line in lines]


def _lines(shown: Example, instrument: Instrument) -> SafeString:
    """Rules B and L: one rating, its lines, and the level each is compared with, or what was left out."""
    answers = shown.sessions[-1].answers or {}
    cutoff = shown.parameters.item_cutoff or 0 if shown.letter == "B" else None
    raised = _left_out(shown)
    parts = []
    for place, (line, mark) in enumerate(answers.items()):
        item, y = instrument.item(line), place * ROW + 22
        parts.append(
            format_html(
                '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text><path class="track" d="M{} {}H{}"/>',
                *(TRACK_LEFT - 14, y + 4, item.label, TRACK_LEFT, y, RIGHT),
            )
        )
        if cutoff is not None:
            parts.append(format_html('<path class="cutoff" d="M{} {}v20"/>', _along(item, cutoff), y - 10))
        x = _along(item, mark) if mark is not None else (TRACK_LEFT + RIGHT) / 2
        if mark is not None:
            parts.append(format_html('<circle class="dot" cx="{}" cy="{}" r="4"/>', x, y))
        parts += [_diamond(x, y, line)] if line in raised else []
    height = len(answers) * ROW + 26
    note = '<text class="note" x="{}" y="{}" text-anchor="middle">{}</text>'
    words = "left out, as the time before" if cutoff is None else f"level {points(cutoff)}"
    under = (TRACK_LEFT + RIGHT) / 2 if cutoff is None else _along(instrument.items[-1], cutoff)
    parts.append(format_html(note, under, height - 8, words))
    return _svg(height, in_words(shown, instrument), parts)


def _along(item: Item, tenths: int) -> float:
    return round(TRACK_LEFT + item.along(tenths) / 100 * (RIGHT - TRACK_LEFT), 1)


def _beside(shown: Example) -> str:
    level = _level(shown)
    if level is not None:
        return f" The {'mean before' if shown.letter == 'J' else 'level'} is {points(level)}."
    evidence = shown.finding.evidence
    if shown.letter == "E":
        lower, upper = evidence["lower"], evidence["upper"]
        assert isinstance(lower, int)
        assert isinstance(upper, int)
        return f" The usual range before it: {points(lower)} to {points(upper)}."
    return ""
