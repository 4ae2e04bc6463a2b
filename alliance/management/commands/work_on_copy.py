"""What `alliance.operations.copy_process` runs on a restored copy. Not for people: it changes passwords there."""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from datetime import datetime
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.operations import copy_checks
from alliance.operations.backup_verified import BackupVerified, WhichKey
from alliance.operations.copy_process import COPY_IS


class Command(BaseCommand):
    help = "Used by restore and verify_backup on a copy of the database; refuses any other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["verify", "restore"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if str(connection.settings_dict["NAME"]) != os.environ.get(COPY_IS):
            raise CommandError(
                "This works on a copy of the database alone, which restore and verify_backup make."
            )
        told = json.load(sys.stdin)
        answer = _verified(told["manifest"]) if what == "verify" else _restored(told)
        self.stdout.write(json.dumps(answer))


def _verified(manifest: dict[str, Any]) -> dict[str, Any]:
    found = list(copy_checks.as_stored(manifest))
    if copy_checks.is_behind():
        copy_checks.bring_up_to_date()
    found += copy_checks.of_the_log()
    found += copy_checks.of_the_keys(manifest)
    found += copy_checks.of_a_sign_in()
    return {"found": found}


def _restored(told: dict[str, Any]) -> dict[str, Any]:
    manifest = told["manifest"]
    missing = list(copy_checks.differing_rows(manifest))
    found = list(copy_checks.missing_triggers())
    copy_checks.bring_up_to_date()  # which puts the triggers back
    found += copy_checks.of_the_log()
    found += copy_checks.of_the_keys(manifest)
    erased_again = _erased_again(told["erasures"])
    copy_checks.sign_everybody_out()
    with transaction.atomic():
        row = BackupVerified.objects.create(
            file=told["file"],
            made_at=datetime.fromisoformat(manifest["made_at"]),
            seconds=0,
            key=WhichKey.CLINIC if told["encrypted"] else WhichKey.NONE,
            is_whole=not missing and not found,
            found=found,
        )
        audit.record(LogEvent.DATABASE_RESTORED, row, by=None, made_at=manifest["made_at"], lost=told["lost"])
    return {"missing": missing, "found": found, "erased_again": erased_again}


def _erased_again(lines: list[str]) -> int:
    if not lines:
        return 0
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        call_command("replay_erasures", file.name, stdout=(said := StringIO()))
    return int(said.getvalue().split()[0])
