"""One of many: the lock behind which one clock leads, and one start of the site brings the database up to date.

PostgreSQL: an advisory lock in a transaction that stays open, on a connection of its own. The transaction has no
snapshot between two questions, so it keeps neither VACUUM nor an index from being built; and unlike a lock of the
session it works through pgbouncer too, which hands a session's connection to others between transactions. When the
process dies, the server notices that its connection has ended, and the lock is free.

SQLite: a lock on a file beside the database, which the system takes away when the process dies.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol
from zlib import crc32

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Seconds. A host that vanishes without a word must notice before the server does: from then on another may lead.
NOTICED_HERE = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
NOTICED_HERE_UNSENT_MS = 15_000
NOTICED_THERE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}


class Lock(Protocol):
    def take(self) -> bool:
        """Whether it is held now. Never waits for another that holds it."""

    def is_held(self) -> bool:
        """Whether it still is: asked anew, for a connection or a file can be lost meanwhile."""

    def release(self) -> None:
        """Nothing is held any more; never fails."""


def lock_named(name: str) -> Lock:
    if connection.vendor == "postgresql":
        return PostgreSQLLock(name)
    return FileLock(Path(f"{connection.settings_dict['NAME']}.{name}"))


class PostgreSQLLock:
    # Two numbers, so that they are no other program's: advisory locks belong to a database, and have no names.
    OURS = crc32(b"session alliance") & 0x7FFFFFFF

    def __init__(self, name: str) -> None:
        self._key = crc32(name.encode()) & 0x7FFFFFFF
        self._connection: BaseDatabaseWrapper | None = None

    def take(self) -> bool:
        """Raises a database fault where the database does not answer."""
        self.release()
        try:
            held = self._take()
        except BaseException:
            self.release()
            raise
        if not held:
            self.release()
        return held

    def _take(self) -> bool:
        own = self._connection = connections[DEFAULT_DB_ALIAS].copy()
        options = {key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "pool"}
        own.settings_dict = {
            **own.settings_dict,
            "OPTIONS": {**options, **NOTICED_HERE, "tcp_user_timeout": NOTICED_HERE_UNSENT_MS},
            "CONN_MAX_AGE": None,
        }
        own.ensure_connection()
        own.set_autocommit(False)
        with own.cursor() as cursor:
            for setting, seconds in NOTICED_THERE.items():
                cursor.execute(f"SET LOCAL {setting} = {seconds}")
            # Whatever the server does to transactions that stand still, this one asks again every few seconds.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [self.OURS, self._key])
            return bool(cursor.fetchone()[0])

    def is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND pid = pg_backend_pid() AND classid = %s AND objid = %s)",
                    [self.OURS, self._key],
                )
                if cursor.fetchone()[0]:
                    return True
        except Exception:  # noqa: S110 - whatever it was: nobody can say that it is held
            pass
        self.release()
        return False

    def release(self) -> None:
        own, self._connection = self._connection, None
        if own is not None and own.connection is not None:
            with suppress(Exception):  # such as: it was closed from the other side
                own.connection.close()  # the transaction ends with it


class FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        self.release()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self._path, "a", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return self.is_held()  # somebody may have deleted it in between

    def is_held(self) -> bool:
        """Not where the file was deleted: the next one makes another, and has the lock on that."""
        if self._file is None:
            return False
        try:
            if os.path.samestat(os.fstat(self._file.fileno()), self._path.stat()):
                return True
        except OSError:  # it is not there
            pass
        self.release()
        return False

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
