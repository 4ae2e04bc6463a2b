"""manage.py recompute_flags: compute every flag and standing again under the settings in force.

--check changes nothing: it compares what is stored with a fresh conclusion and names what differs.
"""

import multiprocessing
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from clients.models import Episode
from sessions_app.flags import checks, recompute
from sessions_app.flags.recomputations import Recomputation

WIDTH = 40
SECONDS_A_LINE = 10  # where the output is no terminal


class Command(BaseCommand):
    help = (
        "Computes all flags again under the clinic's settings. It may be stopped at any moment and goes on where "
        "it was; flags are withdrawn or come back, and what was said about them stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pending", action="store_true", help="only go on with what is unfinished")
        parser.add_argument(
            "--check", action="store_true", help="change nothing; name what differs from a fresh conclusion"
        )
        parser.add_argument("--processes", type=int, default=1, help="that compute side by side (1)")

    def handle(self, *args: Any, pending: bool, check: bool, processes: int, **options: Any) -> None:
        if check:
            self._check()
            return
        if processes < 1:
            raise CommandError("--processes is 1 or more.")
        if recompute.pending() is None:
            if pending:
                return
            recompute.begin(by=None)
        progress = _Progress(self)
        with _pool(processes) as pool:
            for run in recompute.go_on(pool=pool, ahead=2 * processes if pool else 1):
                progress.show(run)
        progress.end()

    def _check(self) -> None:
        """Name each difference by the episode's code: the output may be read by people who see no ratings."""
        episodes = list(Episode.objects.order_by("pk").values_list("pk", flat=True))
        different = 0
        for pk, what in checks.differing(episodes):
            different += 1
            self.stdout.write(f"{Episode.objects.get(pk=pk).code}: {what}")
        for therapist, day in checks.differing_days():
            different += 1
            self.stdout.write(f"counts of {therapist} on {day}")
        if different:
            raise CommandError(f"{different:,} differences. `manage.py recompute_flags` puts them right.")
        self.stdout.write(f"{len(episodes):,} episodes: everything stored is as a fresh conclusion.")


@contextmanager
def _pool(processes: int) -> Iterator[Executor | None]:
    if processes == 1:
        yield None
        return
    connections.close_all()
    # Not forked: a copy of this process would write on its connection to the database.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=django.setup) as pool:
        yield pool


class _Progress:
    """A bar on a terminal; elsewhere a line now and then, and one at the end."""

    def __init__(self, command: BaseCommand) -> None:
        self.out = command.stdout
        self.on_terminal = bool(self.out.isatty()) and sys.platform != "win32"
        self.said_at = time.monotonic()
        self.run: Recomputation | None = None

    def show(self, run: Recomputation) -> None:
        self.run = run
        if self.on_terminal:
            self.out.write(f"\r{bar(run)}", ending="")
            self.out.flush()
        elif time.monotonic() - self.said_at >= SECONDS_A_LINE:
            self.said_at = time.monotonic()
            self.out.write(in_words(run))

    def end(self) -> None:
        if self.on_terminal and self.run:
            self.out.write("")
        if self.run:
            self.out.write(f"{in_words(self.run)} {self.run.changed:,} flags changed.")


def bar(run: Recomputation) -> str:
    full = WIDTH * run.done // run.episodes if run.episodes else WIDTH
    return f"[{'#' * full}{'.' * (WIDTH - full)}] {in_words(run)}"


def in_words(run: Recomputation) -> str:
    return f"{run.done:,} of {run.episodes:,} episodes."
