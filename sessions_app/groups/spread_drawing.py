"""The small picture of a group's sessions: the median as a line, and from the lowest to the highest total as bars."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alliance.measurement.group_course import Spread
from alliance.measurement.scoring import points

WIDTH, HEIGHT, MARGIN = 640, 160, 12


def drawing(spreads: Sequence[Spread | None], maximum: int) -> SafeString:
    """An inline SVG on the whole scale; nothing while no session was rated. A session nobody rated is a gap."""
    known = [(place, one) for place, one in enumerate(spreads) if one is not None]
    if not known:
        return SafeString("")
    step = (WIDTH - 2 * MARGIN) / max(len(spreads) - 1, 1)

    def across(place: int) -> float:
        return round(MARGIN + place * step, 1)

    def height(total: int) -> float:
        return round(MARGIN + (maximum - total) / maximum * (HEIGHT - 2 * MARGIN), 1)

    bars = format_html_join(
        "",
        '<path class="range" d="M{0} {1}V{2}"/>',
        ((across(place), height(one.highest), height(one.lowest)) for place, one in known),
    )
    dots = format_html_join(
        "",
        '<circle class="median" cx="{}" cy="{}" r="4"/>',
        ((across(place), height(one.median)) for place, one in known),
    )
    line = "L".join(f"{across(place)} {height(one.median)}" for place, one in known)
    words = "; ".join(
        f"{points(one.median)} ({points(one.lowest)} to {points(one.highest)})" for _, one in known
    )
    return format_html(
        '<svg class="spread" viewBox="0 0 {} {}" role="img" aria-label="Median and range, oldest first: {}">'
        '<path class="frame" d="M0 {}H{}M0 {}H{}"/>{}<path class="line" d="M{}"/>{}</svg>',
        WIDTH,
        HEIGHT,
        words,
        height(maximum),
        WIDTH,
        height(0),
        WIDTH,
        bars,
        line,
        dots,
    )
