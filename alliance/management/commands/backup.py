"""manage.py backup: one encrypted file, while people work; the clock makes one every night."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alliance.operations import backup, verify
from alliance.operations.backup_verified import WhichKey
from alliance.operations.failed import Failed
from alliance.operations.retention import Keep


class Command(BaseCommand):
    help = (
        "Makes a backup of the database in BACKUP_FOLDER, encrypted to BACKUP_RECIPIENTS, and deletes those "
        "that are past. The keys of the site are not in it: see manage.py backup_keys."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--unencrypted", action="store_true", help="readable for whoever finds it")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="restore it into a copy beside the database, as the clock does",
        )
        parser.add_argument("--keep-all", action="store_true", help="delete none of the earlier ones")

    def handle(self, *args: Any, unencrypted: bool, keep_all: bool, **options: Any) -> None:
        try:
            made = backup.make(unencrypted=unencrypted)
            self.stdout.write(
                f"{made.path}: {made.row.rows:,} rows, {made.row.size / 1e6:,.1f} MB, in {made.row.seconds:.1f} s."
            )
            found: list[str] = []
            if options["verify"]:
                identities = [made.identity] if made.identity else []
                found = verify.verify(made.path, identities, key=WhichKey.MOMENT).found
                for sentence in found:
                    self.stdout.write(sentence)
            if not keep_all:
                for path in backup.delete_past(Keep(*settings.BACKUP_KEEP)):
                    self.stdout.write(f"{path.name} was deleted: it is past.")
        except Failed as failed:
            raise CommandError(str(failed)) from failed
        if found:
            raise CommandError("The backup was made, and restored into a copy it is not as it has to be.")
        if options["verify"]:
            self.stdout.write("It was restored into a copy and is whole.")
