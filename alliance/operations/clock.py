"""The clock: one process that does what time alone makes true, for as long as the site lives (ADR 65).

Each task runs in a thread of its own, so that a long or failing one keeps no other waiting. The loop looks every few
seconds whether this clock leads, says so in the database, and starts what is due. It survives whatever the database
and the tasks do. It ends by itself with `Hanging` alone, for a supervisor to start it anew.
"""

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import Error as DatabaseFault
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from alliance.operations import heartbeat
from alliance.operations.clock_tasks import Found, Task
from alliance.operations.leader import Lock

log = logging.getLogger("alliance.clock")

TICK = 5.0  # seconds between two looks
FIRST_PAUSE = 5.0  # after a failure; doubled with each further one
LONGEST_PAUSE = 60.0  # of the loop itself, while the database is away
PATIENCE_MS = 10_000  # for the small questions of the loop


class Hanging(Exception):
    """A task runs for much longer than it can. A thread cannot be ended, a process can."""


class Clock:
    def __init__(
        self, tasks: Collection[Task], lock: Lock, stop: threading.Event, *, tick: float = TICK
    ) -> None:
        self._tasks = {task.name: task for task in tasks}
        self._lock = lock
        self._stop = stop
        self._tick = tick
        self._host = socket.gethostname()
        self._leads_since: datetime | None = None
        self._runs: dict[str, _Run] = {}
        # Of tasks that failed last: how often in a row, and when to try again (`time.monotonic`).
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._said = ""

    def run(self) -> None:
        """Until `stop` is set. What runs then is left to itself: every task may be ended at any moment."""
        faults = 0
        while not self._stop.is_set():
            pause = self._tick
            try:
                self._look()
                faults = 0
            except (DatabaseFault, OSError) as error:
                self._give_up(heartbeat.in_words(error))
                faults += 1
                pause = pause_after(faults, longest=LONGEST_PAUSE)
                log.warning("The clock cannot use the database; it tries again in %.0f seconds.", pause)
            _close_connections()  # nothing is kept that may be dead at the next look
            self._stop.wait(pause)
        self._lock.release()

    def is_busy(self) -> bool:
        return bool(self._runs)

    def _look(self) -> None:
        with _briefly():
            if not self._leads():
                return
            assert self._leads_since is not None
            heartbeat.beat(host=self._host, pid=os.getpid(), leads_since=self._leads_since)
            running = set(self._runs)  # before the rows are read: whoever ends in between has written its row
            rows, now = heartbeat.rows(), timezone.now()
        self._refuse_to_hang()
        for task in self._tasks.values():
            if task.name not in running and self._is_due(task, rows.get(task.name), now):
                self._start(task)

    # --- Leading ---------------------------------------------------------------------------------

    def _leads(self) -> bool:
        if self._leads_since is not None and self._lock.is_held():
            return True
        self._give_up("the lock, or the connection that held it, is lost")
        if waits_for_migration():
            self._say_once("The database is not up to date; the clock waits until the site has seen to it.")
            return False
        if not self._lock.take():
            self._say_once(
                f"Another clock leads ({heartbeat.last_beat() or 'it has just begun'}); this one waits."
            )
            return False
        self._leads_since = timezone.now()
        self._say_once(f"The clock leads ({self._host}, process {os.getpid()}).")
        self._note_what_was_cut_off()
        return True

    def _give_up(self, why: str) -> None:
        if self._leads_since is not None:
            log.warning("The clock gives the lead up: %s. It begins no task until it leads again.", why)
            self._said = ""
        self._leads_since = None
        self._lock.release()

    def _say_once(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            log.info(sentence)

    def _note_what_was_cut_off(self) -> None:
        """It counts as a failure: a task that brings the process down must not do so again at once, and for ever."""
        for row in heartbeat.rows().values():
            if row.is_unfinished and row.name in self._tasks and row.name not in self._runs:
                heartbeat.failed(row.name, error="The clock ended while this ran.")
                self._failures[row.name] = row.failures
                self._failed(self._tasks[row.name])

    # --- Tasks -----------------------------------------------------------------------------------

    def _is_due(self, task: Task, row: heartbeat.ClockTask | None, now: datetime) -> bool:
        if task.name in self._failures:
            return time.monotonic() >= self._not_before[task.name]
        if row is None or row.failures:
            return True
        return task.rhythm.is_due(now, row.started_at, row.succeeded_at)

    def _start(self, task: Task) -> None:
        self._runs[task.name] = run = _Run(self, task)
        run.start()

    def _refuse_to_hang(self) -> None:
        for run in list(self._runs.values()):
            if time.monotonic() - run.began > run.task.longest.total_seconds():
                hours = run.task.longest.total_seconds() / 3600
                error = f"It did not come to an end within {hours:,.1f} hours, and was cut off."
                heartbeat.failed(run.task.name, error=error)
                raise Hanging(f"{run.task.name}: {error}")

    def ended(self, task: Task, *, well: bool) -> None:
        """Called by the thread of the task, last of all."""
        if well:
            self._failures.pop(task.name, None)
        else:
            self._failed(task)
        self._runs.pop(task.name, None)

    def _failed(self, task: Task) -> None:
        failures = self._failures.get(task.name, 0) + 1
        pause = pause_after(failures, longest=task.rhythm.longest_pause.total_seconds())
        self._not_before[task.name] = time.monotonic() + pause
        self._failures[task.name] = failures


class _Run(threading.Thread):
    """One run of a task. A daemon: the process ends without waiting for it."""

    def __init__(self, clock: Clock, task: Task) -> None:
        super().__init__(name=task.name, daemon=True)
        self.clock, self.task, self.began = clock, task, time.monotonic()

    def run(self) -> None:
        well = False
        try:
            well = run_task(self.task)
        except Exception as error:
            # Not even that it began or failed could be written down.
            log.warning("%s: %s", self.task.name, heartbeat.in_words(error))
        finally:
            _close_connections()
            self.clock.ended(self.task, well=well)


def run_task(task: Task, *, reraise: bool = False) -> bool:
    """Do it now, note how it fared, and say whether it did its work."""
    began = timezone.now()
    since = heartbeat.started(task.name)
    try:
        said = task.work(since)
    except Found as found:
        heartbeat.succeeded(task.name, began=began, found=str(found))
        _say(task, str(found), logging.ERROR)
        if reraise:
            raise
    except Exception as error:
        if isinstance(error, DatabaseFault):
            _close_connections()  # it may be what failed
        in_words = heartbeat.in_words(error)
        log.warning("%s failed: %s", task.name, in_words, exc_info=not isinstance(error, DatabaseFault))
        heartbeat.failed(task.name, error=in_words)
        if reraise:
            raise
        return False
    else:
        heartbeat.succeeded(task.name, began=began)
        _say(task, said or "", logging.INFO)
    return True


def _say(task: Task, said: str, level: int) -> None:
    for line in said.splitlines():
        log.log(level, "%s: %s", task.name, line)


def pause_after(failures: int, *, longest: float) -> float:
    """Seconds: doubled each time, and shortened by chance so that many do not come back at once."""
    whole = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), longest)
    return whole * random.uniform(0.5, 1.0)


def waits_for_migration() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _briefly() -> Iterator[None]:
    """A transaction that waits for nobody for long. LOCAL: behind pgbouncer others have the connection next."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
        yield


def _close_connections() -> None:
    """Those of this thread."""
    try:
        connections.close_all()
    except DatabaseFault:
        log.debug("A connection was closed from the other side.")
