"""The small line of a client's last totals, drawn by the server for lists."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alliance.measurement.scoring import points

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 128, 32, 3


def sparkline(totals: Sequence[int | None], *, cutoff: int | None, maximum: int) -> SafeString:
    """An inline SVG of the last totals (tenths, oldest first; None is a gap), over the cutoff."""
    known = [total for total in totals if total is not None]
    if not known:
        return SafeString("")
    # A whole scale from 0 would press every course into the top third: show a part, but the same
    # part for everybody unless somebody is lower, so that two lines in a list can be compared.
    floor = min(*known, maximum // 2)
    span = max(maximum - floor, 1)

    def height(total: int) -> float:
        return round(SPARK_MARGIN + (maximum - total) / span * (SPARK_HEIGHT - 2 * SPARK_MARGIN), 1)

    step = (SPARK_WIDTH - 2 * SPARK_MARGIN) / max(len(totals) - 1, 1)
    dots = [
        (round(SPARK_MARGIN + place * step, 1), height(t)) for place, t in enumerate(totals) if t is not None
    ]
    words = ", ".join("not rated" if total is None else points(total) for total in totals)
    level = format_html('<path class="cutoff" d="M0 {}H{}"/>', height(cutoff), SPARK_WIDTH) if cutoff else ""
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" role="img" aria-label="Totals: {}">'
        '{}<path class="line" d="M{}"/><circle class="dot" cx="{}" cy="{}" r="2.5"/></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        words,
        level,
        format_html_join(" L", "{} {}", dots),
        *dots[-1],
    )
