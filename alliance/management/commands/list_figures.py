"""manage.py list_figures IN.csv: how often the work list calls on real courses, and what it would find in them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance.measurement.real_courses import file_figures
from alliance.measurement.scored_file import FileError, read_rows
from alliance.measurement.simulation_report import file_report


class Command(BaseCommand):
    help = "Prints what the work list, as shipped and before, does on a CSV file of ratings (see score_file)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="IN.csv")

    def handle(self, *args: Any, source: Path, **options: Any) -> None:
        try:
            with source.open(encoding="utf-8-sig", newline="") as lines:
                rows = list(read_rows(lines))
        except (FileError, OSError) as error:
            raise CommandError(str(error)) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{source} is not UTF-8 text.") from error
        self.stdout.write(file_report(source.name, file_figures(rows)))
