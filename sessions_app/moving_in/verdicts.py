"""What an import makes of each row, and what every kind of import has to offer."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from alliance.models import User
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.moving_in.rows import Remark


class Outcome(StrEnum):
    NEW = "new"
    SAME = "same"  # it is here already, and says the same
    CHANGED = "changed"  # it is here, says something else, and is to be changed
    WRONG = "wrong"


@dataclass
class Verdict:
    """row: as its kind has it. found: what the database has for it, for whoever writes it."""

    row: Any
    outcome: Outcome = Outcome.NEW
    remarks: list[Remark] = field(default_factory=list)
    found: Any = None

    def wrong(self, column: str, sentence: str) -> "Verdict":
        self.outcome = Outcome.WRONG
        self.remarks.append(Remark(self.row.row, column, sentence))
        return self


@dataclass(frozen=True)
class Context:
    """Who imports, when and how. update: whether people and clients who are here are changed to what the file says.

    same_label: the person at the screen said that clients whose label is here already are other people.
    locked: row numbers of the episodes that may be written to; None while nothing is written.
    """

    run: UUID
    by: User
    now: datetime
    update: bool = False
    same_label: bool = False
    instrument: str = ""
    instrument_version: str = ""
    wording: ClinicWording | None = None
    locked: frozenset[int] | None = None

    @property
    def of_run(self) -> dict[str, str]:
        """What a line of the log keeps of the file."""
        return {"imported": str(self.run)}


class Importer(Protocol):
    """One kind. Rows come in batches, in the order of the file; a batch is judged, and then perhaps written."""

    episodes: set[int]  # row numbers of those that are there and are written to

    def judge(self, rows: Sequence[Any]) -> list[Verdict]:
        """A verdict for each row, in their order; a fixed number of queries."""

    def write(self, verdicts: Iterable[Verdict]) -> None:
        """Store what is new or changed."""

    def finish(self) -> Iterator[None]:
        """What is done once, after the last batch; a step at a time."""


class OnceOnly:
    """What may stand in a file once. A set of Python took 28 MB for a file of 100,000 sessions, this takes 6.

    Of each key its hash alone is kept, in an open table that is at most half full; 0 is an empty place.
    """

    def __init__(self) -> None:
        self._table, self._count = array("q", bytes(8 * 1024)), 0

    def has(self, *key: object) -> bool:
        return self._table[self._place_of(_hash_of(key))] != 0

    def is_again(self, *key: object) -> bool:
        hashed = _hash_of(key)
        place = self._place_of(hashed)
        if self._table[place]:
            return True
        self._table[place] = hashed
        self._count += 1
        if 2 * self._count > len(self._table):
            self._grow()
        return False

    def _place_of(self, hashed: int) -> int:
        """Where it stands, or would stand."""
        last = len(self._table) - 1
        place = hashed & last
        while self._table[place] not in (0, hashed):
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        before, self._table = self._table, array("q", bytes(16 * len(self._table)))
        for hashed in before:
            if hashed:
                self._table[self._place_of(hashed)] = hashed


def _hash_of(key: tuple[object, ...]) -> int:
    return hash(key) or 1
