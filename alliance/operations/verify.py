"""Whether a backup can be restored: it is, into a copy beside the site's database, which is dropped afterwards."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alliance.operations import backup_file, backup_folder, databases, manifest
from alliance.operations.backup_verified import BackupVerified, WhichKey
from alliance.operations.copy_process import work_on
from alliance.operations.databases import Database
from alliance.operations.failed import Failed


def verify(path: Path, identities: Sequence[Any], *, key: WhichKey) -> BackupVerified:
    """What was found, stored as a row. Raises `Failed` where it could not be tried; that says nothing of the backup."""
    site = databases.of_the_site()
    began = time.monotonic()
    try:
        told = backup_file.manifest_of(path, identities)
    except backup_file.Damaged as damaged:
        if (made_at := backup_folder.made_at_by_name(path)) is None:
            raise
        found = [str(damaged)]
    else:
        manifest.check(told, site.engine)
        made_at, found = backup_folder.moment_of(told), _found(site, path, identities, told)
    return BackupVerified.objects.create(
        file=path.name,
        made_at=made_at,
        seconds=round(time.monotonic() - began, 3),
        key=key if backup_file.is_encrypted(path) else WhichKey.NONE,
        is_whole=not found,
        found=found,
    )


def _found(site: Database, path: Path, identities: Sequence[Any], told: dict[str, Any]) -> list[str]:
    with site.new_copy() as copy:
        try:
            with backup_file.opened(path, identities) as backup:
                copy.load(backup.content())
            found: list[str] = work_on(copy, what="verify", manifest=told)["found"]
        except Failed as failed:
            return [str(failed)]
    return found
