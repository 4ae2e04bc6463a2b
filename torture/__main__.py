"""python -m torture: every fault at every moment, on a throw-away database, and what became of the marks."""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHORT = "one run of every fault, each at another moment"


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        if "THROW_AWAY_DATABASE" not in os.environ:
            os.environ["DATABASE_URL"] = f"sqlite:///{folder}/torture.sqlite3"
        elif arguments.jobs > 1:
            sys.exit("On PostgreSQL one job at a time: two would take each other's rows for strange ones.")
        began = time.monotonic()
        results = _in_parts(arguments, folder) if arguments.jobs > 1 else list(_results(arguments))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1), encoding="utf-8")
    if not arguments.part:
        _print(results, time.monotonic() - began)
        sys.exit(any(count for name, count in _sums(results).items() if name != "runs"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each fault at each moment")
    parser.add_argument("--short", action="store_true", help=SHORT)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--fault", action="append", default=[], help="this one alone; may be repeated")
    parser.add_argument("--moment", action="append", default=[], help="this one alone; may be repeated")
    parser.add_argument("--json", help="write every run to this file")
    parser.add_argument("--control", help="take one protection away: it must not end in zeros")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side, each with a database")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_parts(arguments: argparse.Namespace, folder: str) -> list[dict[str, Any]]:
    """The same in several processes: each takes every so-manieth cell."""
    again = [*sys.argv[1:], "--jobs", "1"]  # the last one counts
    files = [Path(folder, f"{place}.json") for place in range(arguments.jobs)]
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    processes = [
        subprocess.Popen(  # noqa: S603 - our own words
            [
                sys.executable,
                "-m",
                "torture",
                *again,
                "--part",
                f"{place}/{arguments.jobs}",
                "--json",
                str(file),
            ],
            env=environ,
        )
        for place, file in enumerate(files)
    ]
    if sum(process.wait() for process in processes):
        sys.exit("A part of the runs broke off.")
    return [result for file in files for result in json.loads(file.read_text(encoding="utf-8"))]


def _results(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="torture.settings",
        SECRET_KEY=secrets.token_urlsafe(64),
        # Playwright's driver runs an event loop in this thread; Django would refuse the database.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
    )
    import django

    django.setup()
    from django.core.management import call_command
    from playwright.sync_api import sync_playwright

    from torture import controls, plan, walk, world

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    cells = plan.short(arguments.seed) if arguments.short else plan.whole(arguments.runs)
    cells = plan.chosen(cells, arguments.fault, arguments.moment, arguments.part or "0/1")
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
    from torture.judge import COUNTS

    return {"runs": len(results), **{name: sum(one[name] for one in results) for name in COUNTS}}


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
