"""manage.py audit_archive: move the months of the access log that are over for long to files."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from alliance import log_archiving
from alliance.operations.owner import owner_connection

KEEP = 24


class Command(BaseCommand):
    help = (
        "Moves sealed lines of the access log to one file a month in AUDIT_ARCHIVE, and takes them out of the table. "
        "audit_verify compares the files with their seals as it does the table: keep them, and a copy elsewhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keep",
            type=int,
            default=KEEP,
            metavar="MONTHS",
            help=f"how many past months stay in the table ({KEEP}); {log_archiving.KEEP_AT_LEAST} at least",
        )

    def handle(self, *args: Any, keep: int, **options: Any) -> None:
        if keep < log_archiving.KEEP_AT_LEAST:
            raise CommandError(f"At least {log_archiving.KEEP_AT_LEAST} months stay in the table.")
        moved = 0
        try:
            with owner_connection():
                for made in log_archiving.archive(keep=keep):
                    self.stdout.write(
                        f"{made.count:,} lines are in {log_archiving.folder() / made.name} now."
                    )
                    moved += 1
        except log_archiving.NotArchived as reason:
            raise CommandError(str(reason)) from reason
        except ProgrammingError as error:
            raise CommandError(
                "The database refuses to take lines out of the log: the site's own role may not. Run this with "
                "DATABASE_OWNER_URL, as migrate is. The lines stay in the table."
            ) from error
        except OSError as error:
            raise CommandError(
                f"{log_archiving.folder()} cannot be written: {error.strerror}. The lines stay in the table."
            ) from error
        if not moved:
            self.stdout.write("No month of the access log is over for long enough.")
