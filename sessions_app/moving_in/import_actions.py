"""The writes of an import: a file loaded, understood, checked, imported in one transaction, removed."""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episodes
from sessions_app.moving_in import sealed_file
from sessions_app.moving_in.columns import Kind, guess
from sessions_app.moving_in.csv_file import Layout, Opener, Unreadable, header_of, layout_of
from sessions_app.moving_in.models import ImportRun
from sessions_app.moving_in.sealed_file import MOST_BYTES, PIECE
from sessions_app.moving_in.verdicts import Context
from sessions_app.moving_in.walk import FoundWrong, Options, Source, Tally, form_of, importer_of, walk

GONE = "The content of this file is not here any more. Load it again."
DONE = "This file was imported already."
UNCHECKED = "Check the file first."
WRONG = "There are rows to put right in this file. Nothing was imported."
MEANWHILE = (
    "Rows that were right when the file was checked are not any more. Nothing was imported: check it again."
)


# --- Loaded and understood -----------------------------------------------------------------------


@transaction.atomic
def load_file(*, kind: Kind, file: BinaryIO, name: str, by: User | None) -> ImportRun:
    """Keep the content sealed, and find out how it is to be read."""

    def pieces() -> Iterator[bytes]:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece

    run = _new_run(kind, name, by)
    sealed_file.keep(run, pieces())
    _look_through(run, sealed_file.opener(run), by)
    if run.size > MOST_BYTES:
        raise Refused(
            f"This file is larger than {MOST_BYTES // 1024**2} MB. Divide it, or use manage.py import_csv."
        )
    return run


@transaction.atomic
def name_file(*, kind: Kind, opened: Opener, name: str, by: User | None) -> ImportRun:
    """As `load_file`, for a file that stays where it is: `check` and `import_file` are given it."""
    run = _new_run(kind, name, by)
    _look_through(run, opened, by)
    return run


def _new_run(kind: Kind, name: str, by: User | None) -> ImportRun:
    """Stored, and not looked into yet."""
    return ImportRun.objects.create(
        kind=kind.value, file_name=name[-120:], made_by=by, size=0, encoding="utf-8-sig", delimiter=","
    )


def _look_through(run: ImportRun, opened: Opener, by: User | None) -> None:
    try:
        measured = sealed_file.measure(opened)
        understood(run, opened, layout_of(opened))
    except Unreadable as error:
        raise Refused(str(error)) from error
    run.sha256, run.size, run.lines = measured.sha256, measured.size, measured.lines
    run.save()
    audit.record(LogEvent.IMPORT_FILE_LOADED, run, by=by, kind=run.sheet.many, file=run.sha256)


def understood(run: ImportRun, opened: Opener, layout: Layout) -> None:
    """Guess the columns of a file that is read in this way. Raises Unreadable."""
    run.encoding, run.delimiter = layout.encoding, layout.delimiter
    run.columns = guess(run.sheet, header_of(opened, layout))


@transaction.atomic
def read_otherwise(
    *, run: ImportRun, encoding: str, delimiter: str, opened: Opener | None = None
) -> ImportRun:
    """Another encoding or delimiter than the one that was found out: the columns are guessed anew."""
    run = _locked(run)
    try:
        understood(run, opened or sealed_file.opener(run), Layout(encoding, delimiter))
    except Unreadable as error:
        raise Refused(str(error)) from error
    _forget_check(run)
    run.save()
    return run


@transaction.atomic
def choose_columns(*, run: ImportRun, columns: Mapping[str, int], options: Options) -> ImportRun:
    run = _locked(run)
    run.columns, run.options = dict(columns), asdict(options)
    _forget_check(run)
    run.save()
    return run


def _forget_check(run: ImportRun) -> None:
    run.checked_at, run.counts, run.remarks, run.episodes = None, {}, [], []


def _locked(run: ImportRun) -> ImportRun:
    now = ImportRun.objects.select_for_update().get(pk=run.pk)
    if now.is_imported:
        raise Refused(DONE)
    if not now.has_file:
        raise Refused(GONE)
    return now


# --- Checked -------------------------------------------------------------------------------------


def source_of(run: ImportRun, opened: Opener | None = None) -> Source:
    """opened: the file, where it is not kept with the run."""
    return Source(
        opened or sealed_file.opener(run), run.layout, run.sheet, run.columns, Options.of(run.options)
    )


def check(*, run: ImportRun, by: User, opened: Opener | None = None) -> Iterator[Tally]:
    """The dry run: the import without a write. What it found is kept with the run. Raises Refused."""
    if not run.has_file:
        raise Refused(GONE)
    source = source_of(run, opened)
    importer = importer_of(source, context_of(run, source, by))
    tally = Tally()
    try:
        for tally in walk(source, importer, writes=False):
            yield tally
    except Unreadable as error:
        raise Refused(str(error)) from error
    if not tally.rows:
        raise Refused("Below the first row there is nothing in this file.")
    _keep_check(run, source, tally, sorted(importer.episodes))


@transaction.atomic
def _keep_check(run: ImportRun, source: Source, tally: Tally, episodes: list[int]) -> None:
    now = _locked(run)
    if (now.columns, now.layout, Options.of(now.options)) != (source.places, source.layout, source.options):
        raise Refused("The columns were chosen anew meanwhile. Check the file again.")
    now.checked_at, now.counts = timezone.now(), tally.counts
    now.remarks = [[remark.row, remark.column, remark.sentence] for remark in tally.remarks]
    now.episodes = episodes
    now.save()


def context_of(run: ImportRun, source: Source, by: User, locked: frozenset[int] | None = None) -> Context:
    options = source.options
    instrument, wording = form_of(options.form)
    return Context(
        run=run.code,
        by=by,
        now=timezone.now(),
        update=options.update,
        same_label=options.same_label,
        instrument=instrument.id,
        instrument_version=instrument.version,
        wording=wording,
        locked=locked,
    )


# --- Imported ------------------------------------------------------------------------------------


@dataclass
class Imported:
    """What an import has come to: how far it is, and the run when it is done."""

    tally: Tally
    run: ImportRun | None = None


def import_file(*, run: ImportRun, by: User, opened: Opener | None = None) -> Iterator[Imported]:
    """Everything in one transaction, or nothing: it is rolled back where whoever reads this stops. Raises Refused."""
    try:
        with transaction.atomic():
            yield from _import(run, by, opened)
    except FoundWrong as error:
        raise Refused(MEANWHILE) from error
    except IntegrityError as error:  # somebody made by hand, after the row was judged, what the row makes
        logging.getLogger(__name__).exception("A constraint refused a row of an import.")
        raise Refused(MEANWHILE) from error
    except Unreadable as error:
        raise Refused(str(error)) from error


def _wait_for_other_imports() -> None:
    """One after the other: two of the same file would each find nothing of what the other stores."""
    ImportRun.objects.select_for_update().order_by("pk").first()


def _import(run: ImportRun, by: User, opened: Opener | None) -> Iterator[Imported]:
    _wait_for_other_imports()
    now = _locked(run)
    if not now.is_checked:
        raise Refused(UNCHECKED)
    if not now.is_ready:
        raise Refused(WRONG)
    lock_episodes(now.episodes)
    source = source_of(now, opened)
    importer = importer_of(source, context_of(now, source, by, frozenset(now.episodes)))
    tally = Tally()
    for tally in walk(source, importer, writes=True):
        yield Imported(tally)
    now.counts, now.remarks, now.episodes = tally.counts, [], []
    now.imported_at = now.removed_at = timezone.now()
    now.imported_by = by
    sealed_file.remove(now)
    now.save()
    audit.record(LogEvent.FILE_IMPORTED, now, by=by, kind=now.sheet.many, file=now.sha256, rows=tally.written)
    yield Imported(tally, now)


# --- Removed -------------------------------------------------------------------------------------


@transaction.atomic
def remove_file(*, run: ImportRun, by: User | None) -> ImportRun:
    """Without importing it. What stands of the run says that it was there."""
    now = _locked(run)
    sealed_file.remove(now)
    now.removed_at, now.remarks, now.episodes = timezone.now(), [], []
    now.save()
    audit.record(LogEvent.IMPORT_FILE_REMOVED, now, by=by, kind=now.sheet.many, file=now.sha256)
    return now


def forget(labels: Collection[str]) -> None:
    """What may name a client who is being erased: every file that waits, and files with the label in their name.

    Runs in the transaction of the erasure.
    """
    for run in ImportRun.objects.with_file():
        remove_file(run=run, by=None)
    for run in ImportRun.objects.all():
        if any(label in run.file_name for label in labels):
            run.file_name = "A file that named a client who was erased"
            run.save(update_fields=["file_name"])


def remove_past() -> int:
    """Files that nobody imported within a day; how many."""
    removed = 0
    for run in list(ImportRun.objects.past()):
        try:
            remove_file(run=run, by=None)
        except Refused:
            continue  # somebody imported or removed it meanwhile
        removed += 1
    return removed
