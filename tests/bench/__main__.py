"""python -m tests.bench, inside scripts/with_postgresql.sh: fills throw-away databases, measures, prints tables."""

import argparse
import os
import platform
import re
import secrets
import signal
import sys
import time
from contextlib import ExitStack
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench import report, rounds, sites
from tests.bench.database import Server
from tests.bench.fill import COPIES
from tests.bench.load import Site
from tests.bench.rounds import HANDED_IN_A_ROUND, Results

SMALL, BIG = "10,000 ratings", "1,000,000 ratings"
A_CLINIC = 20_000  # about as many ratings come with each copy


def main() -> None:
    arguments = _arguments()
    if "THROW_AWAY_DATABASE" not in os.environ:
        sys.exit("This fills databases with invented people: run it with `make bench`.")
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that web servers and folders are cleared away
    bench = Bench(Server(os.environ["DATABASE_URL"]), arguments)
    with ExitStack() as until_the_end:
        bench.run(until_the_end)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--size", choices=["small", "whole"], default="whole", help="small: 10,000 ratings only"
    )
    parser.add_argument(
        "--compare", default="", metavar="REVISION", help="measure this commit beside the present files"
    )
    parser.add_argument("--rounds", type=int, default=5, help="in which every page is measured once")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each page in each round")
    parser.add_argument("--threads", type=int, default=1, help="that ask at the same time")
    parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
    parser.add_argument("--ratings", type=int, default=100_000, help="whose flags are computed again")
    parser.add_argument("--processes", type=int, default=2, help="that compute flags again")
    parser.add_argument("--copies", type=int, default=COPIES, help="of the clinic, in the larger database")
    parser.add_argument("--profile", action="store_true", help="say where the CPU of each page goes")
    parser.add_argument("--only-recomputation", action="store_true", help="leave the pages out")
    return parser.parse_args()


class Bench:
    def __init__(self, server: Server, arguments: argparse.Namespace) -> None:
        self.server, self.arguments = server, arguments
        self.secret_key = secrets.token_urlsafe(64)

    def run(self, until_the_end: ExitStack) -> None:
        print(
            f"{_machine()}, PostgreSQL {self.server.version()}; {date.today()}, commit {sites.name_of()}\n",
            flush=True,
        )
        if not self.arguments.only_recomputation:
            self._pages(until_the_end)
        if self.arguments.size == "whole" and not self.arguments.compare:
            self._recomputation()

    # --- The pages ------------------------------------------------------------------------------------

    def _pages(self, until_the_end: ExitStack) -> None:
        sizes = {SMALL: 0} if self.arguments.size == "small" else {SMALL: 0, BIG: self.arguments.copies}
        folders = {"": sites.ROOT}
        if self.arguments.compare:
            folders[self.arguments.compare] = until_the_end.enter_context(
                sites.checked_out(self.arguments.compare)
            )
        measured: dict[tuple[str, str], Results] = {}
        for revision, folder in folders.items():
            for size, copies in sizes.items():
                name = f"{size}, {sites.name_of(revision)}" if self.arguments.compare else size
                if (results := self._served(name, folder, copies, until_the_end)) is not None:
                    measured[revision, size] = results
        began = time.monotonic()
        self.server.forget()
        rounds.measure(
            list(measured.values()), self.arguments.rounds, self.arguments.seconds, self.arguments.threads
        )
        print(f"{self.arguments.rounds} rounds in {time.monotonic() - began:.0f} s\n", flush=True)
        self._print(measured)
        if self.arguments.profile:
            self._profile(measured)
        if self.arguments.size == "whole" and not self.arguments.compare:
            self._slow_tablet(measured["", SMALL])

    def _served(self, name: str, folder: Path, copies: int, until_the_end: ExitStack) -> Results | None:
        database = "bench_" + re.sub(r"\W", "_", name)
        filled = sites.Filled(folder, database, self.server.add_database(database), self.secret_key)
        try:
            print(f"{name}: {filled.run('tests.bench.fill', '--copies', str(copies)).strip()}", flush=True)
            asked = filled.browsers(HANDED_IN_A_ROUND * self.arguments.rounds)
            port, pid = until_the_end.enter_context(filled.served(self.arguments.workers))
        except sites.Failed as error:
            print(f"{name}: left out, this revision cannot be measured so. {error}", flush=True)
            return None
        return Results(name, Site(port, pid, database, self.server), asked)

    def _print(self, measured: dict[tuple[str, str], Results]) -> None:
        for (revision, size), results in measured.items():
            if revision:
                continue
            print(
                f"{results.name}; a bare page {results.cpu_ms('bare page'):.2f} ms\n\n{report.table(results)}\n"
            )
            then = measured.get((self.arguments.compare, size)) if self.arguments.compare else None
            if then:
                print(f"{report.comparison(results, then)}\n")
        if ("", BIG) in measured:
            print(f"{report.growth(measured['', SMALL], measured['', BIG])}\n")
        print(report.HOW_TO_READ, flush=True)

    def _profile(self, measured: dict[tuple[str, str], Results]) -> None:
        for (revision, size), results in measured.items():
            if not revision:
                url = self.server.url_of(results.site.database)
                filled = sites.Filled(sites.ROOT, results.site.database, url, self.secret_key)
                print(f"\nSlowest statements, {size}:")
                for plan, execution, statement in self.server.slowest(results.site.database):
                    print(f"- planned in {plan:.1f} ms, executed in {execution:.1f} ms: {statement}")
                said = filled.run("tests.bench.profiles").strip()
                print(f"\nWhere the CPU goes, {size}:\n{said}", flush=True)

    def _slow_tablet(self, results: Results) -> None:
        from tests.bench import tablet

        if forms := results.requests("rating form"):
            tablet.measure(results.site.port, forms[:6])

    # --- All flags computed again ---------------------------------------------------------------------

    def _recomputation(self) -> None:
        copies = max(1, round(self.arguments.ratings / A_CLINIC) - 1)
        filled = sites.Filled(
            sites.ROOT, "", self.server.add_database("bench_recomputation"), self.secret_key
        )
        print(f"\n{filled.run('tests.bench.fill', '--copies', str(copies)).strip()}", flush=True)
        print(filled.run("tests.bench.recomputation", str(self.arguments.processes)).strip(), flush=True)


def _machine() -> str:
    packages: dict[str, Any] = {name: version(name) for name in ("django", "granian", "psycopg")}
    named = ", ".join(f"{name} {number}" for name, number in packages.items())
    return f"{os.cpu_count()} processors, Python {platform.python_version()}, {named}"


if __name__ == "__main__":
    main()
