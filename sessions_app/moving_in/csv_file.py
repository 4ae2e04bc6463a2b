"""A file of rows as another system wrote it: in which encoding, with which delimiter, and its rows one by one.

Nothing here holds more of the file than a few lines.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

Opener = Callable[[], BinaryIO]  # the file from its beginning, as often as it is asked for

ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows, Western European",
    "utf-16": "UTF-16",
    "cp850": "DOS, Western European",
    "mac_roman": "Macintosh",
    "cp1250": "Windows, Central European",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
_OF_ONE_BYTE = ("cp1252", "cp850", "mac_roman")
_SAMPLE = 64 * 1024
_ROWS_LOOKED_AT = 50
_NAMES_ITS_DELIMITER = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # what Excel writes and hides
MOST_COLUMNS = 200


class Unreadable(Exception):
    """The file cannot be read as it is understood; the text is a sentence."""


@dataclass(frozen=True)
class Layout:
    """How a file is to be read."""

    encoding: str
    delimiter: str


@dataclass(frozen=True)
class Record:
    """One row. number: as a spreadsheet shows it; the header is row 1."""

    number: int
    cells: list[str]


class Chunks(io.RawIOBase):
    """Pieces of bytes as one stream, for what reads files."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces, self.rest = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.rest:
            try:
                self.rest = next(self.pieces)
            except StopIteration:
                return 0
        taken, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


# --- Found out -----------------------------------------------------------------------------------


def layout_of(opened: Opener) -> Layout:
    """What the file itself says of how it is to be read; a person can say otherwise."""
    encoding = _encoding_of(opened)
    with opened() as file:
        sample = codecs.getincrementaldecoder(encoding)(errors="replace").decode(file.read(_SAMPLE))
    return Layout(encoding, _delimiter_of(sample))


def _encoding_of(opened: Opener) -> str:
    with opened() as file:
        begin = file.read(4)
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample = bytearray()
    is_utf8 = True
    with opened() as file:
        while piece := file.read(_SAMPLE):
            if len(sample) < _SAMPLE:
                sample += bytes(byte for byte in piece if byte > 0x7F)[:_SAMPLE]
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
                break
    return "utf-8-sig" if is_utf8 else max(_OF_ONE_BYTE, key=lambda name: _letters(bytes(sample), name))


def _letters(high: bytes, encoding: str) -> int:
    """How many of these bytes are letters of Western Europe in that encoding: in a wrong one they are signs.

    None where one of them has no meaning in it: such a file could not be opened, and nobody could say otherwise.
    """
    try:
        return sum("À" <= sign <= "ÿ" for sign in high.decode(encoding))
    except UnicodeDecodeError:
        return -1


def _delimiter_of(sample: str) -> str:
    """The one that divides all rows alike, the most columns first.

    `csv.Sniffer` takes a decimal comma or a space for the delimiter where there are enough of them.
    """
    if named := _NAMES_ITS_DELIMITER.match(sample):
        return named[1] if named[1] in DELIMITERS else ","
    return max(DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[bool, float, int]:
    lines = sample.splitlines(keepends=True)
    whole = lines if sample.endswith("\n") or len(lines) < 2 else lines[:-1]  # the last may be cut
    rows = list(islice(csv.reader(whole, delimiter=delimiter), _ROWS_LOOKED_AT))
    widths = [len(row) for row in rows if row]
    if not widths:
        return False, 0, 0
    return widths[0] > 1, sum(width == widths[0] for width in widths) / len(widths), widths[0]


# --- Read ----------------------------------------------------------------------------------------


def header_of(opened: Opener, layout: Layout) -> list[str]:
    """The names of the columns. Raises Unreadable."""
    first = next(_records(opened, layout), None)
    names = [name.strip() for name in first.cells] if first else []
    if not any(names):
        raise Unreadable("The file is empty. Its first row must name the columns.")
    if len(names) > MOST_COLUMNS:
        raise Unreadable(f"The file has more than {MOST_COLUMNS} columns. Is the delimiter right?")
    return names


def rows_of(opened: Opener, layout: Layout) -> Iterator[Record]:
    """The rows below the header; those with nothing in any cell are left out. Raises Unreadable."""
    for record in islice(_records(opened, layout), 1, None):
        if any(cell.strip() for cell in record.cells):
            yield record


def _records(opened: Opener, layout: Layout) -> Iterator[Record]:
    number = 0
    with opened() as file, io.TextIOWrapper(file, encoding=layout.encoding, newline="") as text:
        try:
            lines = _without_named_delimiter(text)
            for number, cells in enumerate(csv.reader(lines, delimiter=layout.delimiter), start=1):
                yield Record(number, cells)
        except UnicodeError as error:
            name = ENCODINGS[layout.encoding]
            raise Unreadable(
                f"Below row {number} the file cannot be read as {name}. Choose another encoding."
            ) from error
        except csv.Error as error:
            raise Unreadable(
                f"Below row {number} the columns cannot be told apart. Is a quotation mark opened and not closed?"
            ) from error


def _without_named_delimiter(text: io.TextIOWrapper) -> Iterator[str]:
    first = text.readline()
    if not _NAMES_ITS_DELIMITER.fullmatch(first):
        yield first
    yield from text
