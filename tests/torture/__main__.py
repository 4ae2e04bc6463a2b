"""python -m tests.torture: every fault at every moment, on a throw-away database, and what became of the marks."""

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.torture import watch

SHORT = "one run of every fault, each at another moment"


def main() -> None:
    arguments = _arguments()
    if arguments.part:
        _write(arguments)
        return
    if "THROW_AWAY_DATABASE" in os.environ and arguments.jobs > 1:
        sys.exit("On PostgreSQL one job at a time: two would take each other's rows for strange ones.")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        results = watch.in_parts(sys.argv[1:], arguments.jobs, Path(folder))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1), encoding="utf-8")
    _print(results, time.monotonic() - began)
    sys.exit(any(count for name, count in _sums(results).items() if name != "runs"))


def _write(arguments: argparse.Namespace) -> None:
    """One part of the runs, a line each in the file as they end: whoever watches sees that it goes on."""
    with open(arguments.json, "a", encoding="utf-8") as file:
        for result in _results(arguments):
            file.write(json.dumps(result) + "\n")
            file.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each fault at each moment")
    parser.add_argument("--short", action="store_true", help=SHORT)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--fault", action="append", default=[], help="this one alone; may be repeated")
    parser.add_argument("--moment", action="append", default=[], help="this one alone; may be repeated")
    parser.add_argument("--json", help="write every run to this file")
    parser.add_argument("--control", help="take one protection away: it must not end in zeros")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side, each with a database")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--skip", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _results(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="tests.torture.settings",
        SECRET_KEY=secrets.token_urlsafe(64),
        # Playwright's driver runs an event loop in this thread; Django would refuse the database.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
    )
    import django

    django.setup()
    from django.core.management import call_command
    from playwright.sync_api import sync_playwright

    from tests.torture import controls, plan, walk, world

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    cells = plan.short(arguments.seed) if arguments.short else plan.whole(arguments.runs)
    cells = plan.chosen(cells, arguments.fault, arguments.moment, arguments.part)[arguments.skip :]
    with (
        sync_playwright() as playwright,
        world.opened(playwright) as clinic,
        controls.taken_away(clinic, arguments.control),
    ):
        for place, cell in enumerate(cells, 1):
            began = time.monotonic()
            verdict = walk.run(clinic, cell, arguments.seed)
            seconds = round(time.monotonic() - began, 2)
            if not verdict.is_clean or place % 20 == 0:
                print(f"{place} of {len(cells)}: {cell}: {verdict} ({seconds} s)", flush=True)
            named = {"fault": cell.fault.name, "moment": cell.moment.value, "run": cell.run}
            yield {**named, "seconds": seconds, **vars(verdict)}


def _sums(results: list[dict[str, Any]]) -> dict[str, int]:
    return {"runs": len(results), **{name: sum(one[name] for one in results) for name in watch.COUNTS}}


def _print(results: list[dict[str, Any]], seconds: float) -> None:
    """A row for each fault: what became of its runs, and what should never be there."""
    outcomes = ("the rating", "kept aside", "never came")
    print(f"\n{'':<34}{'runs':>6}" + "".join(f"{name:>12}" for name in outcomes))
    for fault in dict.fromkeys(one["fault"] for one in results):
        rows = [one for one in results if one["fault"] == fault]
        came = Counter(one["outcome"] for one in rows)
        print(f"{fault:<34}{len(rows):>6}" + "".join(f"{came[name]:>12}" for name in outcomes))
    print(f"\n{len({one['moment'] for one in results})} moments, {seconds:.0f} s")
    print(", ".join(f"{name} {count}" for name, count in _sums(results).items()))


if __name__ == "__main__":
    main()
