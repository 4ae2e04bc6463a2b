"""manage.py simulate_flags: what the work list does, and each flag, where nothing is wrong, and where something is."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance.measurement.returns import returns_table
from alliance.measurement.simulate import (
    DEFAULT_SEED,
    VARIANTS,
    detection_table,
    false_alarm_table,
)
from alliance.measurement.simulation_report import Simulated, simulation_report
from alliance.measurement.work_list_figures import list_figures


class Command(BaseCommand):
    help = "Simulates clients and prints how often the work list, and each flag rule, is right and wrong."
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
        simulated = {name: _simulated(name, clients, seed) for name in chosen}
        self.stdout.write(_as_json(simulated) if json else simulation_report(simulated, clients))


def _simulated(variant: str, clients: int, seed: int) -> Simulated:
    return Simulated(
        list_figures(variant, clients, seed, processes=2),
        false_alarm_table(variant, clients, seed=seed, processes=2),
        detection_table(variant, clients, seed, processes=2),
        returns_table(variant, clients, seed, processes=2),
    )


def _as_json(simulated: dict[str, Simulated]) -> str:
    return json.dumps({variant: asdict(one) for variant, one in simulated.items()}, indent=2)
