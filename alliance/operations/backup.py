"""A backup is made while people work: of one moment, encrypted on its way to the disk, in flat memory."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.operations import (
    backup_file,
    backup_folder,
    backup_keys,
    databases,
    kept_rows,
    manifest,
    retention,
)
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified
from alliance.operations.failed import Failed

NO_RECIPIENT = (
    "BACKUP_RECIPIENTS is missing, so a backup could be read by whoever finds it: put a public key of age there "
    "(manage.py backup_keys --new makes one), or say --unencrypted."
)


class Made(NamedTuple):
    path: Path
    row: BackupMade
    identity: Any  # opens it, in this process alone; None where it is not encrypted


def make(*, unencrypted: bool = False) -> Made:
    """Make a backup in BACKUP_FOLDER, and the list of erasures beside it. Raises `Failed`; then none was made."""
    recipients = backup_keys.recipients(settings.BACKUP_RECIPIENTS)
    if not recipients and not unencrypted:
        raise Failed(NO_RECIPIENT)
    identity = None
    if unencrypted:
        recipients = []
    else:
        identity, for_the_moment = backup_keys.one_for_the_moment()
        recipients.append(for_the_moment)
    site = databases.of_the_site()
    with backup_folder.alone() as folder:
        began = time.monotonic()
        with site.snapshot() as snapshot:
            told = manifest.of(site.engine, site.version(), snapshot.ask, timezone.now())
            made_at = backup_folder.moment_of(told)
            path = folder / backup_folder.name_of(made_at, encrypted=bool(recipients))
            with backup_folder.written_whole(path) as file:
                backup_file.write(file, told, snapshot.content(), recipients)
        row = _noted(path, told, time.monotonic() - began)
        _write_erasures(folder, recipients)
    return Made(path, row, identity)


def delete_past(keep: retention.Keep) -> list[Path]:
    """Delete the backups that retention no longer keeps; never the newest, nor the last one that was found whole."""
    with backup_folder.alone():
        found = backup_folder.backups()
        whole = set(BackupVerified.objects.filter(is_whole=True).values_list("file", flat=True))
        last_whole = [one.made_at for one in found if one.path.name in whole][-1:]
        past = set(retention.to_delete([one.made_at for one in found], keep, never=last_whole))
        gone = [one.path for one in found if one.made_at in past]
        for path in gone:
            path.unlink(missing_ok=True)
    return gone


def _noted(path: Path, told: dict[str, Any], seconds: float) -> BackupMade:
    with transaction.atomic():
        row = BackupMade.objects.create(
            file=path.name,
            made_at=backup_folder.moment_of(told),
            seconds=round(seconds, 3),
            size=path.stat().st_size,
            encrypted=backup_file.is_encrypted(path),
            version=told["version"],
            rows=sum(told["rows"].values()),
            log_head=told["log_head"]["hash"] if told["log_head"] else "",
        )
        audit.record(LogEvent.BACKUP_MADE, row, by=None)
    return row


def _write_erasures(folder: Path, recipients: Sequence[Any]) -> None:
    """The newest list alone is kept: whoever was erased must not come back with a backup from before."""
    path = folder / (backup_folder.ERASURES + (".age" if recipients else ""))
    content = "".join(kept_rows.erasure_lines()).encode()
    with backup_folder.written_whole(path) as file:
        file.write(backup_keys.sealed(content, recipients))
    with suppress(OSError):  # the one from before the clinic had a key, or lost it
        (folder / (backup_folder.ERASURES + ("" if recipients else ".age"))).unlink(missing_ok=True)
