"""A whole file read, judged and perhaps written, batch by batch: the dry run and the import are one walk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from alliance.measurement import instruments
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.moving_in.client_import import ClientImport, EpisodeImport
from sessions_app.moving_in.columns import Kind, Sheet
from sessions_app.moving_in.course_import import RatingImport, SessionImport
from sessions_app.moving_in.csv_file import Layout, Opener, Record, header_of, rows_of
from sessions_app.moving_in.rows import Reader, Remark, RowErrors
from sessions_app.moving_in.staff_import import PeopleImport, SupervisionImport
from sessions_app.moving_in.verdicts import Context, Importer, Outcome

ROWS_AT_ONCE = 500
REMARKS_SHOWN = 200
IMPORTERS: Mapping[Kind, type[Any]] = {
    Kind.PEOPLE: PeopleImport,
    Kind.SUPERVISIONS: SupervisionImport,
    Kind.CLIENTS: ClientImport,
    Kind.EPISODES: EpisodeImport,
    Kind.SESSIONS: SessionImport,
    Kind.RATINGS: RatingImport,
}


@dataclass(frozen=True)
class Options:
    """What a person chose beside the columns. form: of the marks, as `form_key` writes it."""

    month_first: bool = False
    update: bool = False
    same_label: bool = False
    form: str = instruments.SESSION_RATING

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Options":
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})


def form_key(instrument: str, edition: str = "") -> str:
    return f"{instrument}:{edition}" if edition else instrument


def form_of(key: str) -> tuple[instruments.Instrument, ClinicWording | None]:
    """The instrument of the marks, and the edition that the clients read, where the clinic knows it."""
    name, _, edition = key.partition(":")
    wording = ClinicWording.objects.filter(instrument=name, edition=edition).first() if edition else None
    return instruments.get(name, wording.instrument_version if wording else None), wording


@dataclass(frozen=True)
class Source:
    """A file, and how each of its columns is understood. places: {column: its place in the file}."""

    opened: Opener
    layout: Layout
    sheet: Sheet
    places: Mapping[str, int]
    options: Options


@dataclass
class Tally:
    """How far a walk is, and what it found. remarks: the first ones."""

    rows: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {outcome.value: 0 for outcome in Outcome})
    remarks: list[Remark] = field(default_factory=list)
    latest: list[Remark] = field(default_factory=list)  # of the last batch, all of them
    finishing: bool = False

    @property
    def wrong(self) -> int:
        return self.counts[Outcome.WRONG]

    @property
    def written(self) -> int:
        return self.counts[Outcome.NEW] + self.counts[Outcome.CHANGED]


class FoundWrong(Exception):
    """A row is wrong that was right when the file was checked."""


def importer_of(source: Source, context: Context) -> Importer:
    made: Importer = IMPORTERS[source.sheet.kind](context)
    return made


def walk(source: Source, importer: Importer, *, writes: bool) -> Iterator[Tally]:
    """The tally after each batch, and while the end is made. Raises Unreadable, and FoundWrong where it writes."""
    tally = Tally()
    header_of(source.opened, source.layout)
    instrument, _wording = form_of(source.options.form)
    reader = Reader(source.sheet, source.places, source.options.month_first, instrument)
    records = rows_of(source.opened, source.layout)
    while batch := list(islice(records, ROWS_AT_ONCE)):
        _batch(batch, reader, importer, tally, writes=writes)
        yield tally
    if writes:
        tally.finishing = True
        for _step in importer.finish():
            yield tally


def _batch(batch: list[Record], reader: Reader, importer: Importer, tally: Tally, *, writes: bool) -> None:
    rows, remarks = [], []
    for record in batch:
        try:
            rows.append(reader.read(record.number, record.cells))
        except RowErrors as errors:
            remarks += errors.remarks
            tally.counts[Outcome.WRONG] += 1
    verdicts = importer.judge(rows)
    for verdict in verdicts:
        tally.counts[verdict.outcome] += 1
        remarks += verdict.remarks
    tally.rows += len(batch)
    tally.latest = sorted(remarks, key=lambda remark: remark.row)
    tally.remarks += tally.latest[: REMARKS_SHOWN - len(tally.remarks)]
    if writes:
        if tally.wrong:
            raise FoundWrong
        importer.write(verdicts)
