"""The embedded SQLite file: copied by VACUUM INTO, which reads one moment and lets others write.

Not by SQLite's own backup: it begins anew whenever another process has written, and never ends while ratings come in
every few seconds.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alliance.operations.databases import FORGOTTEN_AFTER_HOURS
from alliance.operations.failed import Failed

BESIDE = ".alliance-copy-"
GZIP = 31  # zlib's word for the format of gzip
READ_AT_ONCE = 1024 * 1024
IN_USE = (
    "The site still has its database open: stop it first, and its clock (the services web and clock), "
    "and start them again afterwards."
)


class SQLite:
    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path

    def version(self) -> str:
        return sqlite3.sqlite_version

    @contextmanager
    def snapshot(self) -> Iterator["SQLiteSnapshot"]:
        # Beside the file it copies, and as private: it is in clear, and the folder of the backups may be elsewhere.
        with _folder_beside(self.path) as folder:
            copy = folder / "copy.sqlite3"
            with _as_sentences(self.path), _connected(self.path) as live:
                live.execute("VACUUM INTO ?", [str(copy)])
            yield SQLiteSnapshot(copy)

    @contextmanager
    def new_copy(self) -> Iterator["SQLiteCopy"]:
        with _folder_beside(self.path) as folder:
            yield SQLiteCopy(folder / "copy.sqlite3", self)

    def has_rows(self) -> bool:
        return self.path.exists() and bool(
            self.ask("SELECT 1 FROM sqlite_master WHERE name = 'django_migrations'")
        )

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return _asked(self.path, sql)

    def refuse_if_in_use(self) -> None:
        """Only who is alone can take a file out of the mode in which others may read beside a writer."""
        if not self.path.exists():
            return
        try:
            with _connected(self.path, mode="rw", timeout=0) as alone:
                kept = alone.execute("PRAGMA journal_mode").fetchone()[0]
                alone.execute("PRAGMA journal_mode = DELETE")
                alone.execute("BEGIN EXCLUSIVE")
                alone.execute("ROLLBACK")
                alone.execute(f"PRAGMA journal_mode = {kept}")
        except sqlite3.OperationalError as error:
            raise Failed(IN_USE) from error


class SQLiteSnapshot:
    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return _asked(self._path, sql)

    def content(self) -> Iterator[bytes]:
        pressed = zlib.compressobj(level=1, wbits=GZIP)
        with self._path.open("rb") as file:
            while some := file.read(READ_AT_ONCE):
                yield pressed.compress(some)
        yield pressed.flush()


class SQLiteCopy:
    def __init__(self, path: Path, site: SQLite) -> None:
        self._path, self._site = path, site
        self.name = str(path)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DATABASE_URL": f"sqlite:///{quote(str(self._path))}"}

    def load(self, content: Iterable[bytes]) -> None:
        unpacked = zlib.decompressobj(wbits=GZIP)
        try:
            with self._path.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                for some in content:
                    while some:
                        file.write(unpacked.decompress(some, READ_AT_ONCE))
                        some = unpacked.unconsumed_tail
                file.write(unpacked.flush())
                file.flush()
                os.fsync(file.fileno())
        except zlib.error as error:
            raise Failed("The database in this backup is damaged: use another backup.") from error
        if found := [row[0] for row in self.ask("PRAGMA quick_check(3)") if row[0] != "ok"]:
            raise Failed(f"The database in this backup is damaged ({'; '.join(found)}): use another backup.")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return _asked(self._path, sql)

    def put_in_place(self) -> str:
        place = self._site.path
        with _connected(self._path, mode="rw") as copy:
            copy.execute("PRAGMA journal_mode = DELETE")  # whole in its one file, with nothing beside it
        before = ""
        if place.exists():
            self._site.refuse_if_in_use()
            with _connected(place, mode="rw") as old:
                old.execute("PRAGMA journal_mode = DELETE")
            kept = place.with_name(f"{place.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
            os.link(place, kept)  # and not renamed: at every moment one of the two is in place
            kept.chmod(0o600)
            before = str(kept)
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self._path, place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return before


@contextmanager
def _connected(path: Path, mode: str = "ro", timeout: float = 60) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(path))}?mode={mode}"
    with contextlib.closing(
        sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None)
    ) as found:
        yield found


def _asked(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with _as_sentences(path), _connected(path) as connected:
        return connected.execute(sql).fetchall()


@contextmanager
def _as_sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise Failed(
                f"The disk is full: a copy of the database has no room beside {path}. Nothing else was changed."
            ) from error
        raise Failed(f"SQLite could not read {path}: {error}.") from error


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A private folder on the same file system, so that a file in it can take the other's place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f"{BESIDE}*"):
        if time.time() - left.stat().st_mtime > FORGOTTEN_AFTER_HOURS * 3600:
            shutil.rmtree(left, ignore_errors=True)
    try:
        folder = Path(tempfile.mkdtemp(prefix=BESIDE, dir=path.parent))
    except OSError as error:
        raise Failed(f"No copy can be made in {path.parent}: {error.strerror}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
