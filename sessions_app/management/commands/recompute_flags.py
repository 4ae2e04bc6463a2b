"""manage.py recompute_flags: compute every flag again under the settings in force. No conversation is lost."""

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

from sessions_app.flags import recompute
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
        parser.add_argument("--processes", type=int, default=1, help="that compute side by side (1)")

    def handle(self, *args: Any, pending: bool, processes: int, **options: Any) -> None:
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
