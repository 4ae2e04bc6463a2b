"""What an import makes of each row, and what every kind of import has to offer."""

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
    by: User | None
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
    """What may stand in a file once. Of each key only a hash is kept: 100,000 take some megabytes."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def has(self, *key: object) -> bool:
        return hash(key) in self._seen

    def is_again(self, *key: object) -> bool:
        hashed = hash(key)
        if hashed in self._seen:
            return True
        self._seen.add(hashed)
        return False
