"""manage.py score_file IN.csv OUT.csv: totals and flags for a file of ratings, without the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance.measurement.scored_file import FileError, score_file


class Command(BaseCommand):
    help = "Scores a CSV file of ratings with the default settings: total, flags and work list for each row."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="IN.csv")
        parser.add_argument("target", type=Path, metavar="OUT.csv")

    def handle(self, *args: Any, source: Path, target: Path, **options: Any) -> None:
        try:
            rows = score_file(source, target)
        except (FileError, OSError) as error:
            raise CommandError(str(error)) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{source} is not UTF-8 text.") from error
        self.stdout.write(f"{rows} rows scored.")
