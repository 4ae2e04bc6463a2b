"""Whether the access log is as it was sealed: each difference as a sentence, in flat memory however long the log is.

The lines are in the table, and those of earlier months in files (`alliance.log_archiving`): the seals cover both.

Pages of lines and seals are read by their ids: a cursor kept open does not outlive a transaction behind pgbouncer.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from alliance import log_archiving, triggers
from alliance.log_archives import ArchivePermit, AuditArchive
from alliance.log_archiving import Line
from alliance.log_seals import COLUMNS, ENTRY, FIRST_PREVIOUS, digest, hash_of
from alliance.models import AuditEvent, AuditSeal

LINES_A_PAGE = 1000
SEALS_A_PAGE = 20
# Servers' clocks differ, and a line gets its time a moment before its id.
CLOCKS_DIFFER = timedelta(hours=1)
# What was found of one line or of several.
_SAID = {
    "changed": "changed after {sealing}",
    "inserted": "inserted after {sealing}, among lines that were there then",
    "removed": "removed after {sealing}",
    "dated back": "dated earlier than lines that were written before: dated back, or a clock was put back",
    "dated ahead": "dated later than {sealing}: dated ahead, or a clock was put back",
}


class Verification:
    """One walk along the chain. `seals` and `lines` say how many were compared so far."""

    def __init__(self, trusted: AuditSeal | None = None) -> None:
        """`trusted`: what lies before this seal, and the seal itself, is not looked at."""
        self.seals = self.lines = 0
        self._before = trusted
        self._newest_at: datetime | None = None
        self._file: _File | None = None

    def findings(self) -> Iterator[str]:
        yield from _missing_triggers()
        archives = list(AuditArchive.objects.order_by("last_seal"))
        yield from _still_in_the_table(archives)
        for seal in _seals(self._before.number if self._before else 0):
            yield from self._open(next((one for one in archives if seal.upto <= one.upto), None), seal)
            yield from self._of_link(seal)
            yield from _in_sentences(self._of_lines(seal), seal)
            self._before = seal
            self.seals += 1

    def _of_link(self, seal: AuditSeal) -> Iterator[str]:
        before = self._before
        expected = before.number + 1 if before else 1
        if seal.number > expected:
            gone = _numbered("Seal", expected, seal.number - 1)
            yield f"{gone} removed. Lines {self._start + 1:,} to {seal.after:,} are not covered any more."
        elif (seal.previous, seal.after) != ((before.hash, before.upto) if before else (FIRST_PREVIOUS, 0)):
            yield f"Seal {seal.number:,} does not continue the one before it: one of them was made anew."
        if seal.hash != hash_of(seal):
            yield f"Seal {seal.number:,} of {_moment(seal.sealed_at)} was changed."

    def _of_lines(self, seal: AuditSeal) -> Iterator[tuple[str, int]]:
        """(what, id of the line), in the order of the ids but for those that were removed."""
        entries = bytes(seal.entries)
        sealed = dict(ENTRY.iter_unpack(entries[: len(entries) // ENTRY.size * ENTRY.size]))
        if self._file and self._file.is_lost:
            return
        # The first seal covers all below it: an id may be negative too.
        for line in self._file.upto(seal) if self._file else _lines(seal.after or None, seal.upto):
            self.lines += 1
            expected = sealed.pop(line.id, None)
            if expected is None:
                yield "inserted", line.id
            elif expected != line.digest:
                yield "changed", line.id
            elif what := self._misdated(line.at, seal):
                yield what, line.id
        yield from (("removed", pk) for pk in sealed)

    def _open(self, archive: AuditArchive | None, seal: AuditSeal) -> Iterator[str]:
        """Where the lines of this seal are in another file than those of the one before, say how that file is."""
        if archive is None:
            self._file = None
        elif self._file is None or self._file.archive != archive:
            self._file = _File(archive, seal)
            yield from self._file.findings()

    def _misdated(self, at: datetime, seal: AuditSeal) -> str:
        """The ids say in which order lines were written; a time that does not go with it was not the time then."""
        if at > seal.sealed_at + CLOCKS_DIFFER:
            return "dated ahead"
        if self._newest_at and at < self._newest_at - CLOCKS_DIFFER:
            return "dated back"
        self._newest_at = max(self._newest_at or at, at)
        return ""

    @property
    def _start(self) -> int:
        return self._before.upto if self._before else 0


class _File:
    """The lines of one archive, read once from its beginning to its end."""

    def __init__(self, archive: AuditArchive, seal: AuditSeal) -> None:
        """`seal`: the first one that is looked at; what is under earlier ones is passed over."""
        self.archive = archive
        self.is_lost = False
        self._path = log_archiving.folder() / archive.name
        self._after = seal.after if seal.number > archive.first_seal else None
        self._next: Line | None = None

    def findings(self) -> Iterator[str]:
        """Read to the end once before a line is compared: a damaged file is said to be so in one sentence."""
        where = f"The file {self.archive.name} in {log_archiving.folder()}"
        lines = f"Nothing is known of its {self.archive.count:,} lines."
        try:
            same = log_archiving.digest_of(self._path) == self.archive.sha256
            for _ in log_archiving.lines_of(self._path):
                pass
        except FileNotFoundError:
            self.is_lost = True
            yield f"{where} is not there. {lines}"
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self.is_lost = True
            yield f"{where} cannot be read. {lines}"
        else:
            self._lines = log_archiving.lines_of(self._path)
            if not same:
                yield f"{where} is not as it was written."

    def upto(self, seal: AuditSeal) -> Iterator[Line]:
        """The next lines, as far as they are under this seal; under the last one, all that are left."""
        is_last = seal.number == self.archive.last_seal
        while line := self._next or next(self._lines, None):
            self._next = line
            if line.id > seal.upto and not is_last:
                return
            self._next = None
            if self._after is None or line.id > self._after:
                yield line


def _still_in_the_table(archives: list[AuditArchive]) -> Iterator[str]:
    """Lines where there can be none any more."""
    if not archives:
        return
    archive = archives[-1]
    lines = AuditEvent.objects.filter(pk__lte=archive.upto).order_by("pk")
    if count := lines.count():
        yield (
            f"Up to line {archive.upto:,} the log is in files, and the table has {count:,} lines there, "
            f"the first {lines[0].pk:,}: they were inserted afterwards."
        )


def _missing_triggers() -> Iterator[str]:
    tables = {row._meta.db_table for row in (AuditEvent, AuditSeal, AuditArchive, ArchivePermit)}
    for trigger in triggers.missing(connection):
        if trigger.table in tables:
            yield (
                f"The trigger {trigger.name} is not as it has to be, so that rows can be changed: "
                "manage.py migrate puts it back."
            )


def _seals(above: int) -> Iterator[AuditSeal]:
    rows = AuditSeal.objects.order_by("number")
    while page := list(rows.filter(number__gt=above)[:SEALS_A_PAGE]):
        yield from page
        above = page[-1].number


def _lines(above: int | None, upto: int) -> Iterator[Line]:
    rows = AuditEvent.objects.filter(pk__lte=upto).order_by("pk").values(*COLUMNS)
    while page := list((rows if above is None else rows.filter(pk__gt=above))[:LINES_A_PAGE]):
        yield from (Line(line["id"], line["at"], digest(line)) for line in page)
        above = page[-1]["id"]


# --- In words ------------------------------------------------------------------------------------


def _in_sentences(found: Iterable[tuple[str, int]], seal: AuditSeal) -> Iterator[str]:
    """One sentence for each run of lines of which the same is to be said."""
    run: tuple[str, int, int] | None = None
    for what, pk in found:
        if run and run[0] == what and run[2] + 1 == pk:
            run = (what, run[1], pk)
            continue
        if run:
            yield _sentence(*run, seal)
        run = (what, pk, pk)
    if run:
        yield _sentence(*run, seal)


def _sentence(what: str, first: int, last: int, seal: AuditSeal) -> str:
    sealing = f"seal {seal.number:,} of {_moment(seal.sealed_at)}"
    return f"{_numbered('Line', first, last)} {_SAID[what].format(sealing=sealing)}."


def _numbered(of: str, first: int, last: int) -> str:
    return f"{of} {first:,} was" if first == last else f"{of}s {first:,} to {last:,} were"


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%-d %B %Y, %H:%M}"
