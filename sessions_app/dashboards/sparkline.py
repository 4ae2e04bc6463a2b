"""The small line of a client's last totals, drawn by the server for lists."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from alliance.measurement.scoring import points

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 128, 32, 3


def sparkline(totals: Sequence[int | None], *, cutoff: int | None, maximum: int) -> SafeString:
    """An inline SVG of the last totals (tenths, oldest first; None is a gap), over the cutoff.

    On the whole scale, always: in a list two lines are compared, and a small change must not look like a large one.
    """
    if all(total is None for total in totals):
        return SafeString("")

    def height(total: int) -> float:
        return round(SPARK_MARGIN + (maximum - total) / maximum * (SPARK_HEIGHT - 2 * SPARK_MARGIN), 1)

    step = (SPARK_WIDTH - 2 * SPARK_MARGIN) / max(len(totals) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for place, total in enumerate(totals):
        if total is None:
            runs.append([])
        else:
            runs[-1].append((round(SPARK_MARGIN + place * step, 1), height(total)))
    words = ", ".join("not rated" if total is None else points(total) for total in totals)
    level = format_html('<path class="cutoff" d="M0 {}H{}"/>', height(cutoff), SPARK_WIDTH) if cutoff else ""
    drawn = [run for run in runs if run]
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" role="img" aria-label="Totals: {}">'
        '{}<path class="line" d="{}"/><circle class="dot" cx="{}" cy="{}" r="2.5"/></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        words,
        level,
        # One rating between two gaps is a stroke without length, which its round ends make a dot.
        "".join(f"M{'L'.join(f'{x} {y}' for x, y in run)}{'h0' if len(run) == 1 else ''}" for run in drawn),
        *drawn[-1][-1],
    )
