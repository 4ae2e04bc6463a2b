"""The files of an export, made while they are sent: CSV in a ZIP, or JSON.

A file that broke off must not pass for a whole one. The web server ends an answer that failed half-way as any other,
so each file shows its end itself: the list of a ZIP comes last, and half a JSON is none. Plain CSV has no end.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from alliance import csv_file
from sessions_app.records import sheets
from sessions_app.records.sheets import Scope, Sheet

ROWS_A_PIECE = 200
SAYS = [
    "Totals and lines stand twice: in tenths, as whole numbers to compute with, and in points as on pages. Some",
    "spreadsheets take 3.5 for a date where the decimal sign is a comma: use the tenths there.",
    "Marks are missing where the form promised that no file holds them.",
    "An apostrophe before = + - or @ keeps a spreadsheet from running the cell. The JSON file has none.",
]


class Format(StrEnum):
    ZIP = "zip"
    JSON = "json"


CONTENT_TYPES = {
    Format.ZIP: "application/zip",
    Format.JSON: "application/json",
}


def _as_csv(sheet: Sheet, scope: Scope, separator: str) -> Iterator[str]:
    yield csv_file.BEGINS_A_FILE
    yield from csv_file.as_rows([sheet.header], separator)
    cells = ([sheets.in_a_cell(value) for value in row] for row in sheets.values(sheet, scope))
    yield from _in_pieces(csv_file.as_rows(cells, separator))


def _columns_as_csv(found: Iterable[Sheet], separator: str) -> Iterator[str]:
    """What each column of these sheets says."""
    yield csv_file.BEGINS_A_FILE
    rows = ((sheet.name, one.name, one.says) for sheet in found for one in sheet.columns)
    yield from csv_file.as_rows([("sheet", "column", "what it says"), *rows], separator)


def as_json(scope: Scope) -> Iterator[str]:
    """One object; each row on a line of its own."""
    found = sheets.sheets(scope.part)
    columns = {sheet.name: {one.name: one.says for one in sheet.columns} for sheet in found}
    about = {
        "made_at": timezone.localtime().isoformat(timespec="seconds"),
        "part": scope.part,
        "columns": columns,
    }
    yield f'{{"about": {_dumped(about)},\n"sheets": {{'
    for place, sheet in enumerate(found):
        yield f"{',' if place else ''}\n{_dumped(sheet.name)}: ["
        lines = (_dumped(dict(zip(sheet.header, row, strict=True))) for row in sheets.values(sheet, scope))
        yield from _in_pieces(f"{',' if n else ''}\n{line}" for n, line in enumerate(lines))
        yield "]"
    yield "}}\n"
    scope.refuse_if_erased_meanwhile()


def as_zip(scope: Scope, found: Sequence[Sheet], separator: str = ",") -> Iterator[bytes]:
    """These sheets as CSV, and what the columns say. Not compressed: progress is counted in lines."""
    sink = _Sink()
    now = timezone.localtime()
    with zipfile.ZipFile(
        sink,  # type: ignore[call-overload]  # it asks for less than IO
        "w",
        zipfile.ZIP_STORED,
    ) as archive:
        yield from _entry(archive, sink, "columns.csv", _columns_as_csv(found, separator), now)
        yield from _entry(archive, sink, "READ-ME.txt", iter(["\n".join([*SAYS, ""])]), now)
        for sheet in found:
            yield from _entry(archive, sink, f"{sheet.name}.csv", _as_csv(sheet, scope, separator), now)
        scope.refuse_if_erased_meanwhile()
    # The list of entries comes last: an archive that broke off before cannot be opened.
    yield sink.taken()


def _entry(
    archive: zipfile.ZipFile, sink: "_Sink", name: str, lines: Iterator[str], now: datetime
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, now.timetuple()[:6])
    with archive.open(info, "w", force_zip64=True) as entry:
        for text in lines:
            entry.write(text.encode())
            yield sink.taken()


class _Sink:
    """A file that nothing can go back in; what was written is taken out at once."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self.pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        found, self.pieces = b"".join(self.pieces), []
        return found


def _in_pieces(lines: Iterable[str]) -> Iterator[str]:
    """Some lines at a time: a piece for each would cost more than the line."""
    piece: list[str] = []
    for line in lines:
        piece.append(line)
        if len(piece) == ROWS_A_PIECE:
            yield "".join(piece)
            piece = []
    yield "".join(piece)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
