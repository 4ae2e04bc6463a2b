"""The folder in which the workers of one server count together: prometheus_client's multiprocess mode.

Its files are named after the process, and one of a dead process stays for ever. Here a worker takes a place, the first
that is free, by a lock which the kernel opens when the worker dies, however it dies. The worker that comes in its stead
counts on in its files: no count goes backwards, none is left over, and no gauge of the dead is added up.

The files have their full length from the beginning. One that grows into a disk without room would end the worker: a
write into mapped memory cannot fail otherwise (SIGBUS).
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # as prometheus_client calls it
PREFIX = "alliance-figures-"
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
MOST_PLACES = 512
# Some times what all pages, methods and outcomes of this site take.
LENGTHS = {"counter": 2 << 20, "histogram": 1 << 20, "gauge_livesum": 1 << 16}
_OWNER = "owner"


def make() -> str:
    """A new private folder, for the process that starts the workers; those that dead ones left behind are removed."""
    place = IN_MEMORY if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*"):
        _remove_if_left(left)
    made = tempfile.mkdtemp(prefix=PREFIX, dir=place)
    _lock(Path(made) / _OWNER)
    return made


def remove(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)


def folder() -> str:
    return os.environ.get(FOLDER, "")


def begin() -> bool:
    """Whether this process counts in the folder; where that cannot be, it counts for itself alone.

    Called before the first metric is made: prometheus_client decides then.
    """
    if not folder():
        return False
    try:
        place = _take_a_place(Path(folder()))
    except OSError:
        # Not read by prometheus_client then either.
        os.environ.pop(FOLDER, None)
        return False
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]
    return True


def _take_a_place(shared: Path) -> int:
    for place in range(MOST_PLACES):
        if _lock(shared / f"place-{place}"):
            for old in shared.glob(f"gauge_live*_{place}.db"):
                old.unlink()
            for kind, length in LENGTHS.items():
                with (shared / f"{kind}_{place}.db").open("ab") as file:
                    os.posix_fallocate(file.fileno(), 0, length)
            return place
    raise OSError("No place is free.")


def _lock(path: Path) -> bool:
    """Take the lock for as long as this process lives; the descriptor stays open on purpose."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _remove_if_left(path: Path) -> None:
    try:
        if path.stat().st_uid != os.getuid():
            return
        descriptor = os.open(path / _OWNER, os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # its server lives
    else:
        remove(str(path))
    finally:
        os.close(descriptor)
