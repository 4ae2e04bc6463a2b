"""One row of a file as plain values: a class for each kind. Nothing here looks into the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from alliance.measurement import scoring
from alliance.measurement.instruments import Instrument
from alliance.models import Role
from sessions_app.courses.models import Attendance, Modality
from sessions_app.moving_in import cells
from sessions_app.moving_in.cells import CellError
from sessions_app.moving_in.columns import LINES, Kind, Sheet

NUMBER = 80  # characters of an external number
LABEL = 40
NAME = 80

Value = TypeVar("Value")


@dataclass(frozen=True)
class Remark:
    """What is wrong with one cell, or else with the row; or what differs from what is here.

    The sentence is read by the office: it never tells marks.
    """

    row: int
    column: str
    sentence: str


class RowErrors(Exception):
    """All that is wrong with one row, as `Remark`s."""

    def __init__(self, remarks: list[Remark]) -> None:
        super().__init__(remarks)
        self.remarks = remarks


@dataclass(frozen=True)
class Marks:
    """Lines in tenths, or a total alone. answers: every line of the form; all None where only the total is known."""

    answers: Mapping[str, int | None]
    total: int | None


@dataclass(frozen=True)
class PersonRow:
    row: int
    email: str
    name: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class SupervisionRow:
    row: int
    supervisor: str
    therapist: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True)
class ClientRow:
    """language, age_band: empty where the file says nothing. therapist: of the first episode, if one is opened."""

    row: int
    number: str
    label: str
    language: str
    age_band: str
    therapist: str
    opened_on: date | None


@dataclass(frozen=True)
class EpisodeRow:
    row: int
    number: str
    client: str
    therapist: str
    opened_on: date
    closed_on: date | None
    ending: str


@dataclass(frozen=True)
class SessionRow:
    """has_time: else `held_at` is noon of the day. attendance: empty where the file says nothing."""

    row: int
    number: str
    client: str
    episode: str
    held_at: datetime
    has_time: bool
    attendance: str
    modality: str
    marks: Marks | None


@dataclass(frozen=True)
class RatingRow:
    """held_at: of its session; None where the session's number says which one."""

    row: int
    session: str
    client: str
    held_at: datetime | None
    has_time: bool
    marks: Marks


@dataclass
class Reader:
    """Reads the cells of one row, and notes what is wrong with each."""

    sheet: Sheet
    places: Mapping[str, int]
    month_first: bool
    instrument: Instrument
    row: int = 0
    values: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def read(self, row: int, values: list[str]) -> Any:
        """The row of its kind. Raises RowErrors."""
        self.row, self.values, self.remarks = row, values, []
        found = _READ[self.sheet.kind](self)
        if self.remarks:
            raise RowErrors(self.remarks)
        return found

    def text(self, column: str) -> str:
        place = self.places.get(column)
        return self.values[place].strip() if place is not None and place < len(self.values) else ""

    def cell(self, column: str, parse: Callable[[str], Value], empty: Value) -> Value:
        """What the cell says; `empty` where nothing stands there, or something wrong, which is noted."""
        text = self.text(column)
        if not text:
            if self.sheet.column(column).required:
                self.note(column, "This is empty.")
            return empty
        try:
            return parse(text)
        except CellError as error:
            self.note(column, str(error))
            return empty

    def note(self, column: str, sentence: str) -> None:
        label = self.sheet.column(column).label if column else ""
        self.remarks.append(Remark(self.row, label, sentence))

    def line(self, column: str, most: int = NUMBER) -> str:
        return self.cell(column, lambda text: cells.line_of(text, most), "")

    def email(self, column: str) -> str:
        return self.cell(column, cells.email_of, "")

    def day(self, column: str, parse: Callable[..., date]) -> date | None:
        def read(text: str) -> date | None:
            return parse(text, month_first=self.month_first)

        return self.cell(column, read, None)

    def moment(self) -> tuple[datetime | None, bool]:
        nothing: tuple[datetime | None, bool] = (None, False)
        return self.cell(
            "date",
            lambda text: cells.moment_of(text, self.text("time"), month_first=self.month_first),
            nothing,
        )

    def marks(self) -> Marks | None:
        """None where no mark stands in the row."""
        before = len(self.remarks)
        lines = {item.id: self._tenths(item.id, item.minimum, item.maximum) for item in self.instrument.items}
        low, high = self.instrument.total_minimum, self.instrument.total_maximum
        total = self._tenths("total", low, high)
        known = sum(value is not None for value in lines.values())
        if len(self.remarks) > before or (not known and total is None):
            return None
        score = scoring.score(self.instrument, lines)
        if known and total is not None and total != score.total:
            self.note("total", _CONTRADICTS if score.complete else _BESIDE_SOME)
            return None
        return Marks(score.answers, score.total if known else total)

    def _tenths(self, column: str, minimum: int, maximum: int) -> int | None:
        return self.cell(column, lambda text: cells.tenths_of(text, minimum, maximum), None)


_CONTRADICTS = "The total is not the sum of the lines. Leave out the total, or put the lines right."
_BESIDE_SOME = (
    "There is a total, and some lines but not all. Leave out the total: it is not known of what it is."
)


def _person(of: Reader) -> PersonRow | None:
    email, name = of.email("email"), of.line("name", NAME)
    return PersonRow(of.row, email, name, of.cell("roles", cells.roles_of, frozenset()))


def _supervision(of: Reader) -> SupervisionRow | None:
    supervisor, therapist = of.email("supervisor"), of.email("therapist")
    starts_on, ends_on = (
        of.day("starts_on", cells.day_not_far_ahead),
        of.day("ends_on", cells.day_not_far_ahead),
    )
    if supervisor and supervisor == therapist:
        of.note("therapist", "Nobody supervises themselves.")
    if starts_on and ends_on and ends_on < starts_on:
        of.note("ends_on", f"This is before the first day, {starts_on:%-d %B %Y}.")
    return None if starts_on is None else SupervisionRow(of.row, supervisor, therapist, starts_on, ends_on)


def _client(of: Reader) -> ClientRow | None:
    therapist, opened_on = of.email("therapist"), of.day("opened_on", cells.day_not_far_ahead)
    if of.text("therapist") and not of.text("opened_on"):
        of.note("opened_on", "There is a therapist, and no day on which the episode was opened.")
    return ClientRow(
        of.row,
        of.line("number"),
        of.line("label", LABEL),
        of.cell("language", cells.language_of, ""),
        of.cell("age_band", lambda text: cells.age_band_of(text).value, ""),
        therapist,
        opened_on if therapist else None,
    )


def _episode(of: Reader) -> EpisodeRow | None:
    opened_on, closed_on = (
        of.day("opened_on", cells.day_not_far_ahead),
        of.day("closed_on", cells.day_not_ahead),
    )
    ending = of.cell("ending", lambda text: cells.ending_of(text).value, "")
    if opened_on and closed_on and closed_on < opened_on:
        of.note("closed_on", f"This is before the first day, {opened_on:%-d %B %Y}.")
    if of.text("closed_on") and not of.text("ending"):
        of.note("ending", "The episode is closed. Say how it ended: planned, unplanned or transferred.")
    if of.text("ending") and not of.text("closed_on"):
        of.note("closed_on", "There is a kind of ending, and no day on which the episode was closed.")
    client, therapist, number = of.line("client"), of.email("therapist"), of.line("number")
    if opened_on is None:
        return None
    return EpisodeRow(of.row, number, client, therapist, opened_on, closed_on, ending)


def _session(of: Reader) -> SessionRow | None:
    client, episode, number = of.line("client"), of.line("episode"), of.line("number")
    if not (of.text("client") or of.text("episode")):
        of.note("client", "Neither the client nor the episode is named.")
    held_at, has_time = of.moment()
    attendance = of.cell("attendance", lambda text: cells.attendance_of(text).value, "")
    modality = of.cell("modality", lambda text: cells.modality_of(text).value, Modality.IN_PERSON.value)
    marks = of.marks()
    if marks and attendance not in ("", Attendance.ATTENDED):
        of.note("attendance", "There are marks in this row, so the session took place.")
    if held_at is None:
        return None
    return SessionRow(of.row, number, client, episode, held_at, has_time, attendance, modality, marks)


def _rating(of: Reader) -> RatingRow | None:
    session, client = of.line("session"), of.line("client")
    held_at, has_time = of.moment()
    if not (of.text("session") or (of.text("client") and of.text("date"))):
        of.note("", "Name the session, or the client and the date.")
    before = len(of.remarks)
    marks = of.marks()
    if marks is None and len(of.remarks) == before:
        of.note("", "There are no marks in this row.")
    return None if marks is None else RatingRow(of.row, session, client, held_at, has_time, marks)


_READ: Mapping[Kind, Callable[[Reader], Any]] = {
    Kind.PEOPLE: _person,
    Kind.SUPERVISIONS: _supervision,
    Kind.CLIENTS: _client,
    Kind.EPISODES: _episode,
    Kind.SESSIONS: _session,
    Kind.RATINGS: _rating,
}
assert set(LINES) == {"relationship", "goals", "approach", "overall"}
