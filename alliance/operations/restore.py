"""A backup becomes the database of the site. It is made ready beside; what is there stays until the last moment."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from alliance.operations import backup_file, backup_folder, backup_keys, databases, kept_rows, manifest
from alliance.operations.copy_process import work_on
from alliance.operations.databases import Copy, Database
from alliance.operations.failed import Failed


class Restored(NamedTuple):
    manifest: dict[str, Any]
    before: str  # how the database that was there is called now; "" where there was none
    lost: str  # what it had that the backup has not, in words
    erased_again: int
    found: list[str]


def restore(
    path: Path,
    identities: Sequence[Any],
    *,
    even_though_newer: bool,
    erasures: Path | None,
    say: Callable[[str], None],
) -> Restored:
    """Raises `Failed` where it cannot be; then the database of the site is as it was."""
    site = databases.of_the_site(as_owner=True)
    told = backup_file.manifest_of(path, identities)
    manifest.check(told, site.engine)
    _leave()
    site.refuse_if_in_use()
    lost = _newer(site, told)
    if lost and not even_though_newer:
        raise Failed(
            f"The database has {lost} newer than this backup of {told['made_at'][:16].replace('T', ' ')} UTC, which "
            "would be lost: make a backup of it first, and say --even-though-newer if that is meant."
        )
    lines = _erasures(site, erasures, identities)
    with backup_folder.alone(), site.new_copy() as copy:
        say(f"Restoring {path.name} beside the database of the site ...")
        with backup_file.opened(path, identities) as backup:
            copy.load(backup.content())
        say("Looking at what was restored ...")
        answer = work_on(
            copy,
            what="restore",
            manifest=told,
            file=path.name,
            encrypted=backup_file.is_encrypted(path),
            erasures=lines,
            lost=lost,
        )
        if answer["missing"]:
            raise Failed("This backup is not whole: " + " ".join(answer["missing"]))
        if not even_though_newer and _newer(site, told):
            raise Failed(
                "Something was written meanwhile: stop the site and its clock, and start this again."
            )
        before = put_in_place(copy)
    if getattr(settings, "DATABASE_OWNER", None):
        # A dump carries no rights: `migrate` gives the site's own role its rights again.
        call_command("migrate", interactive=False, verbosity=0)
    return Restored(told, before, lost, answer["erased_again"], answer["found"])


def put_in_place(copy: Copy) -> str:
    _leave()
    return copy.put_in_place()


def _leave() -> None:
    """Our own connections would count as somebody who is still there."""
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "postgresql":
            connection.close_pool()  # type: ignore[attr-defined]


def _newer(site: Database, told: dict[str, Any]) -> str:
    if not site.has_rows():
        return ""
    try:
        return " and ".join(manifest.lines_newer(told, site.ask))
    except Exception as error:
        raise Failed(
            f"The database that is there cannot be read ({type(error).__name__}), so nobody knows what it has that the "
            "backup has not: put it aside by hand, then restore into an empty one."
        ) from error


def _erasures(site: Database, path: Path | None, identities: Sequence[Any]) -> list[str]:
    """The list that is given, that of the newest backup, and what the database that is there knows: all of them."""
    lines: list[str] = []
    if path is None:
        beside = [backup_folder.folder() / (backup_folder.ERASURES + ending) for ending in ("", ".age")]
        path = next((one for one in beside if one.exists()), None)
    if path is not None:
        try:
            lines += backup_keys.unsealed(path.read_bytes(), identities).decode().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"The list of erasures {path} cannot be read.") from error
    if site.has_rows():
        # An older database, or half a one: the list beside the backup has to do.
        with suppress(Exception):
            lines += [line.strip() for line in kept_rows.erasure_lines()]
    return list(dict.fromkeys(lines))
