"""The folder of the backups: private, one writer at a time, and a file is there whole or not at all."""

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings

from alliance.operations.failed import Failed

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
# 2026-11-28T021503Z: sorted by name is sorted by time, and no system minds the signs.
STAMP = "%Y-%m-%dT%H%M%SZ"
NAME = re.compile(r"alliance-(\d{4}-\d\d-\d\dT\d{6}Z)\.tar(\.age)?")
UNFINISHED = ".unfinished"
LOCK = ".lock"
ERASURES = "erasures.jsonl"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Found(NamedTuple):
    path: Path
    made_at: datetime


def folder() -> Path:
    return Path(settings.BACKUP_FOLDER)


def backups() -> list[Found]:
    """Those that are finished, oldest first. Raises `Failed` where the folder cannot be read."""
    try:
        found = [(path, NAME.fullmatch(path.name)) for path in folder().iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Failed(f"The folder of backups, {folder()}, cannot be read: {error.strerror}.") from error
    return sorted(
        (Found(path, moment(name[1])) for path, name in found if name),
        key=lambda one: (one.made_at, one.path.name),
    )


def made_at_by_name(path: Path) -> datetime | None:
    name = NAME.fullmatch(path.name)
    return moment(name[1]) if name else None


def moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)


def moment_of(manifest: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(manifest["made_at"])


def name_of(made_at: datetime, *, encrypted: bool) -> str:
    """A name that no backup has yet: a second later where one was made in the same second."""
    taken = {one.made_at for one in backups()}
    at = made_at.astimezone(UTC).replace(microsecond=0)
    while at in taken:
        at += timedelta(seconds=1)
    return f"alliance-{at:{STAMP}}.tar{'.age' if encrypted else ''}"


@contextmanager
def alone() -> Iterator[Path]:
    """The folder, made where it is missing, while no other backup is under way. Raises `Failed`."""
    place = folder()
    _make_private(place)
    try:
        lock = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise Failed(
            f"Nothing can be written to the folder of backups, {place}: {error.strerror}."
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failed("Another backup is under way here: wait for it to end.") from error
        for left in place.glob(f"*{UNFINISHED}"):  # by one that was killed
            left.unlink(missing_ok=True)
        yield place
    finally:
        os.close(lock)


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when all of it is on the disk; where writing fails, none appears."""
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb"
        ) as file:
            os.fchmod(file.fileno(), PRIVATE_FILE)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        at = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)
    except OSError as error:
        if error.errno in FULL:
            raise Failed(
                f"The disk is full: {path.parent} has no room for another backup. The earlier ones are as they were; "
                "make room, or keep fewer (BACKUP_KEEP_DAILY and its neighbours)."
            ) from error
        raise Failed(
            f"{path} could not be written: {error.strerror}. The earlier backups are as they were."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _make_private(place: Path) -> None:
    try:
        place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        if place.stat().st_mode & 0o077:
            place.chmod(PRIVATE_FOLDER)
        if place.stat().st_mode & 0o077:
            raise Failed(f"Others may read the folder of backups, {place}: chmod 700 {place}.")
    except OSError as error:
        raise Failed(
            f"The folder of backups, {place}, cannot be made private: {error.strerror}. It has to belong to the user "
            "as whom the site runs, with mode 700."
        ) from error
