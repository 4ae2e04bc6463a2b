"""Scores a file of ratings: for checking the rules against another implementation, or a clinic's own figures.

In: course,session,relationship,goals,approach,overall (points, one decimal; empty = not answered; a row of
empties = an attended session without a rating). Out: course,session,total,flags,work_list, in input order.
"""

import csv
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alliance.measurement.flag_rules import Finding, findings, is_work_list
from alliance.measurement.instruments import SESSION_RATING, Instrument, get
from alliance.measurement.scoring import AnswerError, at_most, score, tenths_from_text
from alliance.measurement.trends import CourseSession


class FileError(ValueError):
    """A row that cannot be scored: the line number and the reason, in one sentence."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    course: str
    session: CourseSession


PRINTED = frozenset("ABCDEFGJ")  # a line left out twice is nothing that another implementation has
OUT_HEADER = ("course", "session", "total", "flags", "work_list")


def score_file(source: Path, target: Path) -> int:
    """Score `source` into `target`; the number of rows. Raises FileError, OSError, UnicodeDecodeError.

    The target appears complete or not at all.
    """
    with source.open(encoding="utf-8-sig", newline="") as lines:
        scored = score_rows(list(read_rows(lines)))
    _write_whole(target, [OUT_HEADER, *scored])
    return len(scored)


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a file, in its order. Raises FileError at the first that is wrong."""
    instrument = get(SESSION_RATING)
    reader = csv.reader(lines, strict=True)
    seen: dict[tuple[str, int], int] = {}
    try:
        _check_header(next(reader, []), instrument)
        for cells in reader:
            if cells:  # csv gives an empty list for a blank line
                row = _row(reader.line_num, cells, instrument)
                _check_new(reader.line_num, row, seen)
                yield row
    except csv.Error as error:
        raise FileError(reader.line_num, f"not readable as CSV ({error}).") from error


def score_rows(rows: list[Row]) -> list[tuple[str, str, str, str, str]]:
    """The output rows, in the order of the input; the rules see each course by session number."""
    parameters = get(SESSION_RATING).parameters
    courses: dict[str, list[CourseSession]] = defaultdict(list)
    for row in rows:
        courses[row.course].append(row.session)
    found: dict[tuple[str, int], tuple[Finding, ...]] = {}
    for course, sessions in courses.items():
        ordered = sorted(sessions, key=lambda session: session.number)
        for session, raised in zip(ordered, findings(ordered, parameters), strict=True):
            found[course, session.number] = raised
    return [_scored(row, found[row.course, row.session.number]) for row in rows]


def _scored(row: Row, raised: tuple[Finding, ...]) -> tuple[str, str, str, str, str]:
    total = row.session.total
    return (
        row.course,
        str(row.session.number),
        "" if total is None else f"{total // 10}.{total % 10}",
        " ".join(sorted("A+" if f.rule == "A" and f.is_new else f.rule for f in raised if f.rule in PRINTED)),
        "1" if any(map(is_work_list, raised)) else "0",
    )


def _check_header(cells: list[str], instrument: Instrument) -> None:
    wanted = ["course", "session", *(item.id for item in instrument.items)]
    if [cell.strip() for cell in cells] != wanted:
        raise FileError(1, f"the header must be {','.join(wanted)}.")


def _row(line: int, cells: list[str], instrument: Instrument) -> Row:
    width = 2 + len(instrument.items)
    if len(cells) != width:
        raise FileError(line, f"{len(cells)} columns instead of {width}.")
    course, number = cells[0].strip(), _number(line, cells[1].strip())
    if not course:
        raise FileError(line, "the course has no name.")
    typed = {item.id: cell for item, cell in zip(instrument.items, cells[2:], strict=True)}
    return Row(course, _session(line, number, typed, instrument))


def _number(line: int, text: str) -> int:
    # Nine digits: enough for any course, and no number so long that reading it takes minutes.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
        raise FileError(line, f"session “{text[:20]}” is not a whole number from 1.")
    return int(text)


def _session(line: int, number: int, typed: dict[str, str], instrument: Instrument) -> CourseSession:
    try:
        answers = {item: tenths_from_text(text, item=item) for item, text in typed.items()}
        scored = score(instrument, answers)
    except AnswerError as error:
        raise FileError(line, f"{error.item}: {error.sentence}") from error
    rated = any(value is not None for value in answers.values())
    # A file is read long after its sessions: what is not complete by now is overdue.
    return CourseSession(
        number,
        answers if rated else None,
        scored.total,
        overdue=not scored.complete,
        at_most=at_most(instrument, answers),
    )


def _check_new(line: int, row: Row, seen: dict[tuple[str, int], int]) -> None:
    key = (row.course, row.session.number)
    if key in seen:
        raise FileError(line, f"session {key[1]} of course {key[0]} is on line {seen[key]} already.")
    seen[key] = line


def _write_whole(target: Path, rows: Iterable[Iterable[str]]) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        Path(name).chmod(0o644)  # mkstemp keeps it to its owner; the file is for whoever asked for it
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
