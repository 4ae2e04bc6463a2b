"""What a client usually marks on each line: the middle of the last ratings before one. Whole tenths.

For reading beside a rating, and no rule: nothing is raised by it.
"""

from collections.abc import Mapping, Sequence
from statistics import median_low

from alliance.measurement.standing import OWN_LEVEL_FROM


def usual_marks(earlier: Sequence[Mapping[str, int | None]]) -> dict[str, int]:
    """{line: the lower median of its last eight marks}; earlier: the marks of the ratings before, oldest first.

    A line that was left out counts for nothing; one that was never marked has no usual mark.
    """
    lines = {line for marks in earlier for line in marks}
    known = {line: [mark for one in earlier if (mark := one.get(line)) is not None] for line in lines}
    return {line: median_low(marks[-OWN_LEVEL_FROM:]) for line, marks in known.items() if marks}
