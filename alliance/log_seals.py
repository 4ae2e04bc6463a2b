"""Seals over the access log: a hash chain that notices what an owner of the database changed (ADR 50).

Triggers hold off everybody but whoever may drop them. So every few minutes the clock writes a seal over the new
lines: the SHA-256 of each, and a hash over these and the seal before. A line that is changed, removed or slipped in
afterwards no longer fits; who would make all seals anew cannot change the heads that were printed before.

A line is written as ever: it takes no lock and knows no hash. What that asks of the sealing is `_settled`.
"""

import hashlib
import json
import struct
import time
from datetime import UTC, datetime
from ipaddress import ip_interface
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from alliance.models import AuditEvent, AuditSeal

LINES_A_SEAL = 1000
FIRST_PREVIOUS = "0" * 64
ENTRY = struct.Struct(">Q32s")
# Seconds in which those who are writing lines have to come to an end; else the next run seals.
PATIENCE = 10.0
COLUMNS = tuple(field.attname for field in AuditEvent._meta.concrete_fields)
_WRITING = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = %s::regclass AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


NOT_SEALED = (
    "The newest lines of the access log are not sealed yet: somebody has been writing for a while. "
    "The next run seals them."
)


class StillWriting(Exception):
    """A transaction that wrote lines has not come to its end: nothing could be sealed."""


def seal() -> int:
    """How many lines were sealed now: all whose transactions are over. Raises `StillWriting`."""
    upto, sealed = _settled(), 0
    while count := _seal_next(upto):
        sealed += count
    return sealed


def newest() -> AuditSeal | None:
    """The last link: its hash is the head of the chain."""
    return AuditSeal.objects.order_by("-number").first()


def head_in_words() -> str:
    """The line to keep elsewhere: with `audit_verify --head` it shows whether seals were made anew since."""
    if (last := newest()) is None:
        return "The access log has no seal yet."
    on = f"{timezone.localtime(last.sealed_at):%-d %B %Y, %H:%M}"
    return f"Head of the access log: {last.hash} (seal {last.number:,} of {on}, lines up to {last.upto:,})"


def _seal_next(upto: int) -> int:
    """How many lines went into the next seal; 0 where none is left."""
    while True:
        last = newest()
        after = last.upto if last else 0
        lines = list(
            AuditEvent.objects.filter(pk__gt=after, pk__lte=upto)
            .order_by("pk")
            .values(*COLUMNS)[:LINES_A_SEAL]
        )
        if not lines:
            return 0
        made = AuditSeal(
            number=last.number + 1 if last else 1,
            previous=last.hash if last else FIRST_PREVIOUS,
            after=after,
            upto=lines[-1]["id"],
            count=len(lines),
            entries=b"".join(ENTRY.pack(line["id"], digest(line)) for line in lines),
            sealed_at=timezone.now(),
        )
        made.hash = hash_of(made)
        try:
            with transaction.atomic():
                made.save()
        except IntegrityError:
            continue  # A second clock was faster by a moment, and has sealed these.
        return len(lines)


def _settled() -> int:
    """The highest id at and below which no line can appear any more.

    SQLite has one writer at a time. On PostgreSQL a line can be committed after one with a higher id. But whoever
    gets an id from the sequence holds a lock on the table already, ROW EXCLUSIVE, and keeps it to the end. So once
    everybody has ended who held that lock after the highest id was read, all lines up to that id are there to be
    read, or never will be. CREATE INDEX CONCURRENTLY waits in this way; it makes nobody else wait.
    """
    highest: int = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if connection.vendor != "postgresql":
        return highest
    waiting_for, until = _writing(), time.monotonic() + PATIENCE
    while waiting_for:
        if time.monotonic() > until:
            raise StillWriting
        time.sleep(0.02)
        waiting_for &= _writing()
    return highest


def _writing() -> set[str]:
    """The transactions that have written to the log, or are about to."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITING, [AuditEvent._meta.db_table])
        return {name for (name,) in cursor.fetchall()}


# --- What is hashed ------------------------------------------------------------------------------


def digest(line: dict[str, Any]) -> bytes:
    """The SHA-256 of a line, the same on every database.

    What is empty is left out: a column that a later release adds, empty in earlier lines, leaves their digests.
    """
    return hashlib.sha256(canonical_line(line)).digest()


def canonical_line(line: dict[str, Any]) -> bytes:
    """What is hashed of a line, and what a file of the log has of it."""
    told = {name: value for name, value in line.items() if value is not None}
    if "address" in told:
        told["address"] = str(ip_interface(told["address"]).ip)
    return _canonical(told)


def hash_of(seal: AuditSeal) -> str:
    """What `seal.hash` has to be."""
    head = [seal.number, seal.previous, seal.after, seal.upto, seal.count, seal.sealed_at]
    return hashlib.sha256(_canonical(head) + b"\n" + bytes(seal.entries)).hexdigest()


def _canonical(value: Any) -> bytes:
    return _JSON.encode(value).encode()


def _as_text(value: Any) -> str:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{type(value)} has no place in a line of the log.")


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_as_text)
