"""manage.py verify_backup: whether a backup can be restored, tried on a copy beside the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance.operations import backup_folder, backup_keys, verify
from alliance.operations.backup_verified import WhichKey
from alliance.operations.failed import Failed


class Command(BaseCommand):
    help = (
        "Restores a backup into a copy beside the database, drops it afterwards and says what was found: rows, "
        "triggers, the access log's seals, a sign-in with second factor, pages. Exits with 1 where anything is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="without it the newest in BACKUP_FOLDER")
        parser.add_argument("--identity", type=Path, metavar="KEYFILE", help="the private key of age")

    def handle(self, *args: Any, file: Path | None, identity: Path | None, **options: Any) -> None:
        try:
            path = file or _newest()
            identities = backup_keys.identities(identity) if identity else []
            row = verify.verify(path, identities, key=WhichKey.CLINIC)
        except Failed as failed:
            raise CommandError(str(failed)) from failed
        for sentence in row.found:
            self.stdout.write(sentence)
        if not row.is_whole:
            raise CommandError(f"{path.name} is not as it has to be.")
        self.stdout.write(f"{path.name} can be restored: it was, into a copy, in {row.seconds:.1f} s.")


def _newest() -> Path:
    if not (found := backup_folder.backups()):
        raise Failed(f"There is no backup in {backup_folder.folder()}: manage.py backup makes one.")
    return found[-1].path
