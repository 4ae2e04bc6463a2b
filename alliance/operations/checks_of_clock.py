"""Whether the clock is alive, and whether its tasks are done: what nobody else would notice."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from alliance.operations import clock_tasks, heartbeat
from alliance.operations.clock_tasks import Task
from alliance.operations.findings import PAGE, Finding, check, failed, ok, warning

AWAY = timedelta(minutes=5)
LONG_AWAY = timedelta(hours=1)
FAILURES_TOLD = 3  # one or two pass by themselves: it is tried again
START_IT = (
    "Start it: docker compose up --detach clock, or: systemctl start alliance-clock. Its log says why it ended "
    "(docker compose logs clock, journalctl -u alliance-clock). Nothing is lost: it catches up."
)


@check("clock", at=PAGE)
def clock() -> Iterator[Finding]:
    beat, now = heartbeat.last_beat(), timezone.now()
    if beat is None and settings.DEMO:
        yield ok(
            "clock",
            "This is the demo: no clock runs in it. Starting it raises the flags for missing ratings.",
        )
        return
    if beat is None:
        yield failed("clock", "The clock has never run: flags for missing ratings are not raised.", START_IT)
        return
    away = now - beat.beat_at
    if away > AWAY:
        sentence = (
            f"The clock has given no sign of life for {_in_words(away)} (last: {beat}). Flags for missing ratings are "
            "not raised, and the access log is not sealed."
        )
        yield (
            failed("clock", sentence, START_IT) if away > LONG_AWAY else warning("clock", sentence, START_IT)
        )
        return
    yield ok("clock", f"The clock is alive ({beat}).")
    yield from _of_tasks()


def _of_tasks() -> Iterator[Finding]:
    rows, wrong = heartbeat.rows(), 0
    for task in clock_tasks.all_tasks():
        if row := rows.get(task.name):
            finding = _of_task(task, row)
            wrong += finding is not None
            if finding:
                yield finding
    if not wrong:
        yield ok("clock tasks", "All its tasks are done in time.")


def _of_task(task: Task, row: heartbeat.ClockTask) -> Finding | None:
    key, now = f"clock {task.name}", timezone.now()
    if row.error and not row.failures:  # it was done, and found this
        return failed(key, f"{task.name} found: {row.error}", f"Look into it: manage.py {task.name}.")
    if row.failures >= FAILURES_TOLD:
        return warning(
            key,
            f"{task.name} has failed {row.failures:,} times in a row. {row.error}",
            "It is tried again by itself. The log of the clock says more; look at the database and the disk first.",
        )
    runs = row.is_unfinished and row.started_at is not None and now - row.started_at < task.longest
    if row.succeeded_at is not None and not runs and now - row.succeeded_at > task.rhythm.is_late_after:
        return warning(
            key,
            f"{task.name} was last done {_in_words(now - row.succeeded_at)} ago.",
            "Look into the log of the clock.",
        )
    return None


def _in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
