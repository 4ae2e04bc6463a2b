"""Erase again whom a restored backup brought back; see docs/deployment.md."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.records import erasure_actions

MARK = '"erased"'  # only such lines are of the list: it may be the whole log of the service


class Command(BaseCommand):
    help = "Erase again every client that the list names (manage.py list_erasures, or the log of the service web)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        again = 0
        for number, line in enumerate(lines, start=1):
            if MARK not in line:
                continue
            try:
                again += erasure_actions.replay(line=line)
            except ValueError as error:
                raise CommandError(f"{file}, line {number}: {error}") from error
        clients = "1 client was" if again == 1 else f"{again} clients were"
        self.stdout.write(f"{clients} erased again. Those that were not there needed nothing.")
