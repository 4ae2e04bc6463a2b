"""The file of an SQLite database, and what SQLite keeps beside it, are readable by the site's own user alone.

Whoever else has an account on the machine, a backup program's among them, reads no ratings there. SQLite gives the
files beside it (-wal, -shm, -journal) the permissions of the database, so that one file decides for all.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.dispatch import receiver

BESIDE = ("", "-wal", "-shm", "-journal")
OTHERS = stat.S_IRWXG | stat.S_IRWXO
_put_right: set[Path] = set()


@receiver(connection_created)
def keep_private(connection: Any, **kwargs: object) -> None:
    """Once for each file and process, before anything is asked of it."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return
    database = Path(connection.settings_dict["NAME"])
    if database not in _put_right:
        put_right(database)
        _put_right.add(database)


def put_right(database: Path) -> None:
    """Take these files, and `var` where they lie in it, from everybody but their user.

    Another folder may hold more than this site's files, and is only told of (`open_to_others`). What belongs to
    another user cannot be changed, and is told of too.
    """
    for path in (*_files(database), *_own_folder(database)):
        if mode := _open(path):
            try:
                path.chmod(mode & ~OTHERS)
            except OSError:
                continue


def is_a_file() -> bool:
    return connection.vendor == "sqlite" and not connection.is_in_memory_db()  # type: ignore[attr-defined]


def open_to_others(database: Path | None = None) -> list[Path]:
    """The files and the folder of the database that somebody else on this machine can reach; none on PostgreSQL.

    A file that is private is safe in a folder that others may read; one in which they may write is theirs to
    replace, but for folders like /tmp, where each deletes only their own.
    """
    if database is None:
        if not is_a_file():
            return []
        database = Path(connection.settings_dict["NAME"])
    found = [path for path in _files(database) if _open(path)]
    mode = database.parent.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
        found.append(database.parent)
    return found


def _files(database: Path) -> Iterator[Path]:
    yield from (database.with_name(database.name + end) for end in BESIDE)


def _own_folder(database: Path) -> Iterator[Path]:
    if database.resolve().parent == settings.VAR_DIR.resolve():
        yield settings.VAR_DIR


def _open(path: Path) -> int:
    """The permissions of a path that others have a part in; 0 where they have none, or it is not there."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
    return mode if mode & OTHERS else 0
