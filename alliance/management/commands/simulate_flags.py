"""manage.py simulate_flags: how often each flag is raised for clients with whom nothing is wrong."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance.measurement.simulate import DEFAULT_SEED, VARIANTS, false_alarm_report, false_alarm_table


class Command(BaseCommand):
    help = "Simulates stable clients and prints the false-alarm rate of each flag rule."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--variant", choices=list(VARIANTS), help="one variant only; else all")
        parser.add_argument("--clients", type=int, default=20_000)
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
        parser.add_argument("--json", action="store_true", help="shares from 0 to 1 instead of a table")

    def handle(
        self, *args: Any, variant: str | None, clients: int, seed: int, json: bool, **options: Any
    ) -> None:
        if clients < 1:
            raise CommandError("At least one client is needed.")
        chosen = [variant] if variant else list(VARIANTS)
        tables = {name: false_alarm_table(name, clients, seed=seed, processes=2) for name in chosen}
        self.stdout.write(_as_json(tables) if json else false_alarm_report(tables, clients))


def _as_json(tables: dict[str, dict[str, dict[str, float]]]) -> str:
    return json.dumps(tables, indent=2)
