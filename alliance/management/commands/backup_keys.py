"""manage.py backup_keys: what a restored site needs beside its database, to be kept apart from the backups."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alliance.operations import backup_folder, backup_keys
from alliance.operations.failed import Failed


class Command(BaseCommand):
    help = (
        "Prints the secrets of this site as lines of .env, for a safe; with --to FILE writes them encrypted to "
        "BACKUP_RECIPIENTS; with --new prints a new pair of keys for backups."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, metavar="FILE", help="write them there, encrypted")
        parser.add_argument(
            "--new", action="store_true", help="a new pair of keys: nothing of it is kept here"
        )

    def handle(self, *args: Any, to: Path | None, new: bool, **options: Any) -> None:
        try:
            if new:
                self._new_pair()
            elif to:
                self._write(to)
            else:
                self.stdout.write(backup_keys.key_material(), ending="")
        except Failed as failed:
            raise CommandError(str(failed)) from failed

    def _new_pair(self) -> None:
        private, public = backup_keys.one_for_the_moment()
        self.stdout.write(f"# public key: {public}\n{private}")
        self.stderr.write(
            f"Put BACKUP_RECIPIENTS={public} into the settings. Keep what stands above in a file or on paper, "
            "in a safe, never on this machine: without it no backup can be read again."
        )

    def _write(self, to: Path) -> None:
        recipients = backup_keys.recipients(settings.BACKUP_RECIPIENTS)
        if not recipients:
            raise Failed("BACKUP_RECIPIENTS is missing: without --to the keys are printed as they are.")
        if to.resolve().parent == backup_folder.folder().resolve():
            raise Failed("Keep the keys apart from the backups: name a file in another folder.")
        with backup_folder.written_whole(to) as file:
            file.write(backup_keys.sealed(backup_keys.key_material().encode(), recipients))
        print(f"{to}: encrypted. Keep it apart from the backups.", file=sys.stderr)
