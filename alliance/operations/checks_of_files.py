"""Whether the static files are there as the pages name them, and whether the disk has room."""

import filecmp
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection

from alliance.operations.findings import PAGE, READY, START, Finding, check, failed, ok, warning

COLLECT = "Run make static (in the container: build the image anew), then restart the site."
MEGABYTE = 1_000_000
# SQLite needs room for its journal beside a write, and PostgreSQL stops as a whole where its log finds none.
TOO_LITTLE = 200 * MEGABYTE
LITTLE = 1000 * MEGABYTE
# Of a disk that is small on purpose, such as that of temporary files in a container.
TOO_SMALL_A_PART = 0.05
SMALL_PART = 0.1


@check("static", at=START | READY | PAGE, asks_database=False)
def collected() -> Iterator[Finding]:
    hashed = _hashed_names()
    if hashed is None:
        yield ok("static", "Static files are served from their sources, as under DEBUG.")
        return
    gone = [name for name in hashed.values() if not (Path(settings.STATIC_ROOT) / name).is_file()]
    if gone or not hashed:
        yield failed("static", "The static files are not there: no page can be shown.", COLLECT)
    else:
        yield ok("static", "The static files are collected.")


@check("static_sources", at=START | PAGE, asks_database=False)
def collected_from_this_version() -> Iterator[Finding]:
    """After an upgrade the pages would be shown with the styles and scripts of the version before."""
    hashed = _hashed_names()
    if not hashed:
        return
    other = [name for name, source in _sources() if not _is_same(source, Path(settings.STATIC_ROOT) / name)]
    if any(name not in hashed for name in other):
        new = next(name for name in other if name not in hashed)
        yield failed(
            "static.sources",
            f"The static files are those of another version: {new} is missing, so that pages fail.",
            COLLECT,
        )
    elif other:
        yield warning(
            "static.sources",
            f"{len(other)} static files are of another version than the site, the first is {other[0]}.",
            COLLECT,
        )


def _hashed_names() -> dict[str, str] | None:
    """{name: name with the hash}, as the pages of this process use them; None where they use none."""
    storage: Any = staticfiles_storage
    return getattr(storage, "hashed_files", None)


def _sources() -> Iterator[tuple[str, Path]]:
    from django.apps import apps

    ignored = apps.get_app_config("staticfiles").ignore_patterns  # type: ignore[attr-defined]
    for finder in get_finders():
        for name, storage in finder.list(ignored):
            yield name, Path(storage.path(name))


def _is_same(source: Path, collected: Path) -> bool:
    return collected.is_file() and filecmp.cmp(source, collected, shallow=False)


# --- Disk ----------------------------------------------------------------------------------------


@check("disk", at=START | READY | PAGE, asks_database=False)
def disk() -> Iterator[Finding]:
    """Of a database on another machine this says nothing: that has its own helper, or its own monitor."""
    seen = set()
    for key, what, path in _places():
        place = next(one for one in (path, *path.parents) if one.exists())
        if (device := place.stat().st_dev) in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(place)
        said = f"The disk of {what} has {usage.free // MEGABYTE:,} MB left"
        if usage.free < min(TOO_LITTLE, usage.total * TOO_SMALL_A_PART):
            yield failed(key, f"{said}: too little to write on safely.", MAKE_ROOM)
        elif usage.free < min(LITTLE, usage.total * SMALL_PART):
            yield warning(key, f"{said}.", MAKE_ROOM)
        else:
            yield ok(key, f"{said}.")


MAKE_ROOM = "Make room, for example by moving old backups elsewhere, or give the machine a larger disk."


def _places() -> Iterator[tuple[str, str, Path]]:
    """Key of the finding, what lies there, and where."""
    if connection.vendor == "sqlite" and Path(connection.settings_dict["NAME"]).is_absolute():
        yield "disk.database", "the database", Path(connection.settings_dict["NAME"]).parent
    yield "disk.site", "the site's own files", Path(settings.VAR_DIR)
    yield "disk.temporary", "temporary files", Path(tempfile.gettempdir())
