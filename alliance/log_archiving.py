"""Moves whole months of the access log to files: one line of JSON for each line, compressed, compared like the table.

A line of a file has the very bytes that were hashed when it was sealed, so its SHA-256 is the one that its seal has,
which stays in the database. A file is written, read again and compared before anything is taken out of the table,
and is there before that is stored: whatever happens in between, no line is lost.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from alliance import audit
from alliance.environment import MONTHS_AT_LEAST
from alliance.log_archives import ArchivePermit, AuditArchive
from alliance.log_events import LogEvent
from alliance.log_seals import COLUMNS, canonical_line
from alliance.models import AuditEvent, AuditSeal

KEEP_AT_LEAST = MONTHS_AT_LEAST
LINES_A_PAGE = 1000


class Line(NamedTuple):
    id: int
    at: datetime
    digest: bytes


class NotArchived(Exception):
    """In a sentence: why a month was left in the table."""


def folder() -> Path:
    return Path(settings.AUDIT_ARCHIVE)


def newest() -> AuditArchive | None:
    return AuditArchive.objects.first()


def archive(*, keep: int, today: date | None = None) -> Iterator[AuditArchive]:
    """Move each month that is over since `keep` months; each is stored by itself."""
    today = today or timezone.localdate()
    last = today.year * 12 + today.month - 1 - max(keep, KEEP_AT_LEAST)
    while (month := _oldest_month()) is not None and month < last:
        yield _archive_month(month)


def _oldest_month() -> int | None:
    """Months since the year 0, of the oldest seal whose lines are in the table."""
    before = newest()
    seals = AuditSeal.objects.filter(number__gt=before.last_seal if before else 0).order_by("number")
    sealed_at = seals.values_list("sealed_at", flat=True).first()
    if sealed_at is None:
        return None
    day = timezone.localdate(sealed_at)
    return day.year * 12 + day.month - 1


def _archive_month(month: int) -> AuditArchive:
    before, (year, place) = newest(), divmod(month + 1, 12)
    end = timezone.make_aware(datetime.combine(date(year, place + 1, 1), time.min))
    seals = AuditSeal.objects.filter(number__gt=before.last_seal if before else 0, sealed_at__lt=end)
    numbers = list(seals.order_by("number").values_list("number", "upto"))
    after, upto = before.upto if before else 0, numbers[-1][1]
    name = f"access-log-{month // 12}-{month % 12 + 1:02}.jsonl.gz"
    draft = folder() / f"{name}.draft"
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        count = _write(draft, after, upto)
        sealed = seals.aggregate(lines=Sum("count"))["lines"]
        if count != sealed or count != sum(1 for _ in lines_of(draft)):
            raise NotArchived(
                f"{name} was not made: {count:,} lines are there, and the seals have {sealed:,}. "
                "See what manage.py audit_verify says; the lines stay in the table."
            )
        made = AuditArchive(
            name=name,
            sha256=digest_of(draft),
            first_seal=numbers[0][0],
            last_seal=numbers[-1][0],
            after=after,
            upto=upto,
            count=count,
            last_at=AuditEvent.objects.filter(pk__gt=after, pk__lte=upto).latest("pk").at,
        )
        _take_out(made, draft)
    finally:
        draft.unlink(missing_ok=True)
    return made


@transaction.atomic
def _take_out(made: AuditArchive, draft: Path) -> None:
    made.save()
    permit = ArchivePermit.objects.create(archive=made)
    gone, _ = AuditEvent.objects.filter(pk__gt=made.after, pk__lte=made.upto).delete()
    permit.delete()
    if gone != made.count:
        raise NotArchived(f"{made.name} was not made: lines came in between. They stay in the table.")
    audit.record(LogEvent.LOG_ARCHIVED, made, by=None, sha256=made.sha256, until=made.last_at.isoformat())
    # There before the rows are gone, also after a power cut.
    draft.rename(folder() / made.name)
    _sync(folder())


# --- The files -----------------------------------------------------------------------------------


def _write(path: Path, after: int, upto: int) -> int:
    """How many lines were written."""
    count = 0
    path.unlink(missing_ok=True)
    with (
        open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file,
    ):
        for line in _of_table(after, upto):
            file.write(line + b"\n")
            count += 1
    _sync(path)
    return count


def _of_table(after: int, upto: int) -> Iterator[bytes]:
    rows = AuditEvent.objects.filter(pk__lte=upto).order_by("pk").values(*COLUMNS)
    while page := list(rows.filter(pk__gt=after)[:LINES_A_PAGE]):
        yield from map(canonical_line, page)
        after = page[-1]["id"]


def lines_of(path: Path) -> Iterator[Line]:
    """Raises OSError, EOFError or ValueError where the file is not there or is damaged."""
    with gzip.open(path, "rb") as file:
        for line in file:
            text = line.removesuffix(b"\n")
            said = json.loads(text)
            yield Line(said["id"], datetime.fromisoformat(said["at"]), hashlib.sha256(text).digest())


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
