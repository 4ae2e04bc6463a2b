"""manage.py doctor: what is wrong with this site, and what to do about it.

Exits with 0 where all is well, with 1 where somebody should see to something, with 2 where something has failed. With
`--start` it says only what must be known before the site serves, and exits with 2 where it must not.
"""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from alliance import triggers
from alliance.operations.bounded import bounded_connection
from alliance.operations.checks_of_database import WHO_DID_IT
from alliance.operations.findings import ASKED, PAGE, START, Finding, State, in_lines, run, warning, worst

SECONDS = 10  # that one question to the database may take


class Command(BaseCommand):
    help = "Says what is wrong with this site and what to do. Exit status: 0 well, 1 see to it, 2 failed."
    requires_system_checks = ()  # what they find is among the findings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="all findings, for another program")
        parser.add_argument(
            "--start", action="store_true", help="before serving: put lost triggers back, else refuse"
        )

    def handle(self, *args: Any, json: bool, start: bool, **options: Any) -> None:
        with bounded_connection(SECONDS):
            found = _before_serving() if start else run(PAGE | ASKED)
        state = worst(found)
        if json:
            self.stdout.write(_as_json(found))
        elif start:
            self._say_at_start(found)
        else:
            for line in in_lines(sorted(found, key=lambda finding: -finding.state)):
                self.stdout.write(line)
        if start and state is State.WARNING:
            return
        if state is not State.OK:
            sys.exit(state.value)

    def _say_at_start(self, found: list[Finding]) -> None:
        """To the log of the service: one sentence for each that forbids to serve, as settings have them too."""
        for finding in found:
            if finding.state is State.FAILED:
                self.stderr.write(f"Cannot start: {finding.sentence} {finding.to_do}")
            elif finding.state is State.WARNING:
                self.stderr.write(f"{finding.sentence} {finding.to_do}")


def _before_serving() -> list[Finding]:
    """What is found when lost triggers are put back. Where they cannot be, the check of triggers still says so."""
    found = run(START)
    if not any(one.key == "triggers" and one.state is State.FAILED for one in found):
        return found
    lost = ", ".join(triggers.missing_triggers(connection))
    try:
        triggers.put_back()
    except DatabaseError:
        return found
    return [warning("triggers.put_back", f"Lost protections were put back: {lost}.", WHO_DID_IT), *run(START)]


def _as_json(found: list[Finding]) -> str:
    return json.dumps(
        {
            "state": worst(found).name.lower(),
            "findings": [{**asdict(finding), "state": finding.state.name.lower()} for finding in found],
        },
        indent=2,
    )
