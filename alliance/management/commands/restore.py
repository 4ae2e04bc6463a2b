"""manage.py restore: a backup becomes the database of the site; what was there before stays beside it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance.operations import backup_keys, restore
from alliance.operations.failed import Failed


class Command(BaseCommand):
    help = (
        "Restores a backup: beside the database first, and then in its place. Stop the site and its clock before. "
        "Where it fails, the database is as it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--identity", type=Path, metavar="KEYFILE", help="the private key of age")
        parser.add_argument(
            "--even-though-newer",
            action="store_true",
            help="lose what the database has that the backup has not",
        )
        parser.add_argument(
            "--erasures",
            type=Path,
            metavar="LIST",
            help="whom to erase again; without it the list beside the backups, if one is there",
        )

    def handle(self, *args: Any, file: Path, identity: Path | None, **options: Any) -> None:
        try:
            done = restore.restore(
                file,
                backup_keys.identities(identity) if identity else [],
                even_though_newer=options["even_though_newer"],
                erasures=options["erasures"],
                say=self.stdout.write,
            )
        except Failed as failed:
            raise CommandError(f"{failed} The database of the site is as it was.") from failed
        self._tell(done)

    def _tell(self, done: restore.Restored) -> None:
        say = self.stdout.write
        rows = done.manifest["rows"]
        say(f"The database is as it was on {done.manifest['made_at'][:16].replace('T', ' ')} UTC.")
        say(f"{sum(rows.values()):,} rows in {len(rows)} tables, all as the manifest says.")
        if done.lost:
            say(f"Lost: {done.lost}.")
        clients = "1 client was" if done.erased_again == 1 else f"{done.erased_again} clients were"
        say(f"{clients} erased again, who had been erased since.")
        say(
            "Everybody is signed out. Whoever was let go or given less since the backup is back as they were: look."
        )
        if done.before:
            say(
                f"The database of before is kept as {done.before}: it holds what was lost, and whoever was "
                "erased since. Delete it as soon as you do not need it."
            )
        for sentence in done.found:
            say(f"To look at: {sentence}")
        say("Start the site and its clock, and look at: manage.py doctor")
