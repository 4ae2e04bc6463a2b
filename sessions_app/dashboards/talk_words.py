"""What stands first where a talk is prepared: the client's words, and each line that day against the usual one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alliance.measurement import instruments
from alliance.measurement.line_levels import own_marks
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import Rupture
from alliance.measurement.scoring import points
from alliance.measurement.trends import CourseSession

if TYPE_CHECKING:
    from sessions_app.dashboards.client_page import SessionRow


@dataclass(frozen=True, slots=True)
class LineMark:
    """One line of the form: what was marked that day and what is usual, in words and in hundredths of the line."""

    heading: str
    said: str
    place: int | None
    usual: str
    usual_place: int | None
    lower: str  # by how much it is below the usual mark; empty where it is not


@dataclass(frozen=True, slots=True)
class LineLevels:
    """The client's own level of each line, as it is known at a session. low_point: the one that goes on.

    rated: the sessions with a complete rating, in the order of their numbers.
    """

    rated: Sequence[CourseSession]
    low_point: Rupture | None
    parameters: Parameters

    def at(self, row: SessionRow) -> dict[str, int]:
        """Compares only ratings on the same form as this one."""
        known = [one for one in self.rated if one.number <= row.session.number]
        if not known or row.rating is None or known[-1].series != row.rating.series:
            return {}
        return own_marks(known, self.low_point, self.parameters)


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence of the client. of: the row it belongs to; what the reader may not read is not in any row."""

    text: str
    language: str
    of: SessionRow


def words_of(rows: Sequence[SessionRow], row: SessionRow) -> list[Words]:
    """rows: newest first. The sentence of the newest rating, then that of the session that is talked about."""
    newest = next((one for one in rows if one.rating), row)
    found = [newest, row] if newest is not row else [row]
    return [Words(one.comment, one.rating.language, one) for one in found if one.rating and one.comment]


def marks_of(row: SessionRow, levels: LineLevels) -> list[LineMark]:
    """Empty where no line of that session is known."""
    rating = row.rating
    if rating is None or rating.is_blank or rating.is_total_only:
        return []
    usual = levels.at(row)
    items = instruments.get(rating.instrument, rating.instrument_version).items
    found = []
    for item in items:
        mark, level = rating.marks[item.id], usual.get(item.id)
        lower = level - mark if mark is not None and level is not None else 0
        found.append(
            LineMark(
                heading=item.label[:1].upper() + item.label[1:],
                said="left out" if mark is None else points(mark),
                place=None if mark is None else round(item.along(mark)),
                usual="" if level is None else points(level),
                usual_place=None if level is None else round(item.along(level)),
                lower=points(lower) if lower > 0 else "",
            )
        )
    return found
