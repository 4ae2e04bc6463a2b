"""manage.py import_csv: what the pages under Clinic, Import do, for a file on this machine."""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import pluralize

from alliance.models import Role, User
from alliance.refused import Refused
from sessions_app.moving_in import import_actions
from sessions_app.moving_in.columns import SHEETS, Kind, Sheet
from sessions_app.moving_in.csv_file import DELIMITERS, ENCODINGS, Layout, Opener, header_of
from sessions_app.moving_in.forms import forms_of_marks
from sessions_app.moving_in.models import ImportRun
from sessions_app.moving_in.walk import Options

WIDTH = 40


class Command(BaseCommand):
    help = (
        "Imports a CSV file: all of it, or nothing. Imported again it makes nothing twice. Import people first, then "
        "supervisions, clients, episodes, sessions, ratings."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=[kind.value for kind in Kind])
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--by", required=True, metavar="EMAIL", help="the administrator who answers for it"
        )
        parser.add_argument(
            "--check", action="store_true", help="say what would be imported, and change nothing"
        )
        parser.add_argument("--encoding", choices=ENCODINGS, help="where it is not found out")
        parser.add_argument("--delimiter", choices=DELIMITERS, help="where it is not found out")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="COLUMN=HEADING",
            help="which heading of the file stands for a column, where it is not guessed",
        )
        parser.add_argument("--month-first", action="store_true", help="03/04/2025 is the 4th of March")
        parser.add_argument(
            "--update", action="store_true", help="change people and clients who are here already"
        )
        parser.add_argument(
            "--same-label", action="store_true", help="clients with a label that is here are others"
        )
        parser.add_argument("--form", default=Options.form, help="of the marks; with an edition, as srs:2026")

    def handle(
        self, *, kind: str, file: Path, by: str, check: bool, column: list[str], **options: Any
    ) -> None:
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        person = User.objects.filter(email__iexact=by).first()
        if person is None or not person.has_any_role(frozenset({Role.ADMINISTRATOR})):
            raise CommandError(f"{by} is not an administrator who may sign in.")

        def opened() -> BinaryIO:
            return file.open("rb")

        chosen = Options(options["month_first"], options["update"], options["same_label"], options["form"])
        known = [key for key, _name in forms_of_marks()]
        if chosen.form not in known:
            raise CommandError(f"There is no form {chosen.form}. There are {', '.join(known)}.")
        try:
            run = import_actions.name_file(kind=Kind(kind), opened=opened, name=file.name, by=person)
            try:
                run = self._as_asked(run, opened, chosen, column, options)
                self._check(run, opened, person)
                if not check and run.is_ready:
                    self._import(run, opened, person)
            finally:
                # However it ends: on the pages it would stand for a day as a file that waits, and it lies here.
                run.refresh_from_db()
                if run.has_file:
                    import_actions.remove_file(run=run, by=person)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if run.count("wrong"):
            wrong = run.count("wrong")
            raise CommandError(f"{wrong} row{pluralize(wrong, ' is,s are')} wrong. Nothing was imported.")

    def _as_asked(
        self, run: ImportRun, opened: Opener, chosen: Options, column: list[str], options: Mapping[str, Any]
    ) -> ImportRun:
        layout = Layout(options["encoding"] or run.encoding, options["delimiter"] or run.delimiter)
        if layout != run.layout:
            run = import_actions.read_otherwise(
                run=run, encoding=layout.encoding, delimiter=layout.delimiter, opened=opened
            )
        header = header_of(opened, layout)
        columns = {**run.columns, **dict(_named(text, run.sheet, header) for text in column)}
        missing = [one.id for one in run.sheet.columns if one.required and one.id not in columns]
        if missing:
            raise CommandError(f"No heading is known for {', '.join(missing)}: name it with --column.")
        return import_actions.choose_columns(run=run, columns=columns, options=chosen)

    def _check(self, run: ImportRun, opened: Opener, person: User) -> None:
        for tally in import_actions.check(run=run, by=person, opened=opened):
            self._progress("checked", tally.rows, run)
            for remark in tally.latest:
                where = f"Row {remark.row}{', ' if remark.column else ''}{remark.column}"
                self.stdout.write(f"{where}: {remark.sentence}")
        run.refresh_from_db()
        counts = run.counts
        self.stdout.write(
            f"{counts['new']} new, {counts['changed']} changed, {counts['same']} here already, {counts['wrong']} wrong."
        )

    def _import(self, run: ImportRun, opened: Opener, person: User) -> None:
        for step in import_actions.import_file(run=run, by=person, opened=opened):
            self._progress("written", step.tally.rows, run)
        self.stdout.write(f"Imported: {SHEETS[Kind(run.kind)].many}.")

    def _progress(self, word: str, rows: int, run: ImportRun) -> None:
        """A bar on a terminal alone: beside it, nothing but what is to be read stands in the output."""
        if sys.stderr.isatty():
            done = min(WIDTH, WIDTH * rows // max(run.lines, rows, 1))
            self.stderr.write(f"\r[{'#' * done}{'.' * (WIDTH - done)}] {rows} rows {word}", ending="")


def _named(text: str, sheet: Sheet, header: Sequence[str]) -> tuple[str, int]:
    column, _, heading = text.partition("=")
    if column not in {one.id for one in sheet.columns}:
        known = ", ".join(one.id for one in sheet.columns)
        raise CommandError(f"There is no column {column}. The columns are {known}.")
    if heading not in header:
        raise CommandError(f"The file has no heading “{heading}”. It has {', '.join(header)}.")
    return column, header.index(heading)
