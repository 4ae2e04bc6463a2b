"""CSV as every export writes it: every cell quoted, and none that a spreadsheet would run as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

BEGINS_A_FILE = "\ufeff"  # spreadsheets guess the encoding wrong without it
SEPARATORS = ",;\t"
_FORMULA = (
    "=+\\-@\uff1d\uff0b\uff0d\uff20"  # also as wide characters, which some spreadsheets take for the same
)
# At the beginning, or where a cell begins for a spreadsheet that separates otherwise than the file does: in German
# Excel a comma separates nothing and `;` does. Blanks and quotes before it are dropped by some.
_RUNS = re.compile(rf"""^(?=[\t\r\n])|(^|[{SEPARATORS}|\r\n])(?=[\s"']*[{_FORMULA}])""")


class _Echo:
    """What `csv` takes for a file; the row goes straight to the browser."""

    def write(self, row: str) -> str:
        return row


def as_rows(rows: Iterable[Iterable[Any]], separator: str = ",") -> Iterator[str]:
    """The lines of the file, without what begins it. None is an empty cell."""
    writer = csv.writer(_Echo(), delimiter=separator, quoting=csv.QUOTE_ALL)
    for row in rows:
        yield writer.writerow(["" if cell is None else harmless(str(cell)) for cell in row])


def harmless(cell: str) -> str:
    """The cell with a quote before whatever would be a formula, so that it is text (OWASP: CSV injection)."""
    return _RUNS.sub(lambda found: f"{found[1] or ''}'", cell)
