"""manage.py clock: do what time alone makes true, until it is told to stop. One of these runs beside the site."""

import logging
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from alliance.operations import clock_tasks, heartbeat
from alliance.operations.clock import Clock, Hanging
from alliance.operations.leader import lock_named

GRACE = 3.0  # seconds in which what runs may come to its end


class Command(BaseCommand):
    help = (
        "Raises flags for missing ratings, seals and compares the access log, and removes what is past, each in its "
        "rhythm. Any number may run: one of them leads, and another takes over when it ends."
    )
    requires_system_checks = ()  # it may start before the database does

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tasks", action="store_true", help="show how each task fared last, and end")

    def handle(self, *args: Any, tasks: bool, **options: Any) -> None:
        if tasks:
            self._show()
            return
        logging.getLogger("alliance.clock").setLevel(logging.INFO)
        use_no_pool()
        stop = _set_by_signals()
        clock = Clock(clock_tasks.all_tasks(), lock_named("clock"), stop)
        try:
            clock.run()
        except Hanging as error:
            raise CommandError(f"The clock ends, to be started anew. {error}") from error
        while clock.is_busy():  # for `GRACE` seconds
            time.sleep(0.05)

    def _show(self) -> None:
        beat = heartbeat.last_beat()
        said = f"{beat}, at {beat.beat_at:%Y-%m-%d %H:%M:%S} UTC" if beat else "never"
        self.stdout.write(f"Last sign of life of the clock: {said}")
        rows = heartbeat.rows()
        for task in clock_tasks.all_tasks():
            row = rows.get(task.name)
            last = f"{row.succeeded_at:%Y-%m-%d %H:%M:%S} UTC" if row and row.succeeded_at else "never"
            self.stdout.write(f"{task.name}: last done {last}. {row.error if row else ''}".rstrip())


def use_no_pool() -> None:
    """A connection for each run of a task, however few `DATABASE_POOL` allows: none waits for another's."""
    for one in connections.settings.values():
        one.get("OPTIONS", {}).pop("pool", None)


def _set_by_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set; soon after it the process ends with 0, whatever it waits for.

    By a pipe and a thread: a handler of Python runs only once the main thread comes back from the database, and may
    not set an event that this very thread is waiting for.
    """
    stop = threading.Event()
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def wait() -> None:
        os.read(heard, 1)
        stop.set()
        time.sleep(GRACE)
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stop
