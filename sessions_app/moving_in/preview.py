"""How a file is understood, in a few of its rows: for whoever chooses the columns.

The office sees no marks: of a column of marks, and of one that is not used and might hold them, no value is shown.
"""

from dataclasses import dataclass
from itertools import islice

from sessions_app.moving_in import sealed_file
from sessions_app.moving_in.cells import told
from sessions_app.moving_in.csv_file import Record, header_of, rows_of
from sessions_app.moving_in.models import ImportRun

ROWS = 5


@dataclass(frozen=True)
class ShownColumn:
    """One column of the file. used_as: our name for it; values: empty where none is shown, `why` says why."""

    name: str
    used_as: str
    values: list[str]
    why: str


@dataclass(frozen=True)
class Preview:
    header: list[str]
    columns: list[ShownColumn]


def read(run: ImportRun) -> Preview:
    """Raises Unreadable."""
    opened = sealed_file.opener(run)
    header = header_of(opened, run.layout)
    first = list(islice(rows_of(opened, run.layout), ROWS))
    used = {place: run.sheet.column(name) for name, place in run.columns.items()}
    columns = []
    for place, name in enumerate(header):
        column = used.get(place)
        why = "" if column and not column.is_mark else "marks are not shown" if column else "not used"
        values = [] if why else list(dict.fromkeys(_value(record, place) for record in first))
        columns.append(
            ShownColumn(name or f"Column {place + 1}", column.label if column else "", values, why)
        )
    return Preview(header, columns)


def _value(record: Record, place: int) -> str:
    cell = record.cells[place].strip() if place < len(record.cells) else ""
    return told(cell)[1:-1] if cell else "–"
