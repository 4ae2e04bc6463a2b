"""What the clock does, and how often; the registry that the apps fill in `ready()`.

    clock_tasks.register("raise_missing", every(minutes=15), overdue.raise_missing)
    clock_tasks.register("audit_verify", daily(at=4), command("audit_verify"))

**A task may be ended at any moment, and may run twice at once**: a clock is killed, or loses the database while another
takes over. So it writes in transactions, and what it writes twice is there once. It never waits for another task.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

from django.core.management import CommandError, call_command
from django.utils import timezone


class Found(Exception):
    """The task did its work and found something that a person has to see: told, and not tried again at once."""


@dataclass(frozen=True)
class Every:
    period: timedelta

    def is_due(self, now: datetime, started: datetime | None, succeeded: datetime | None) -> bool:
        # Started in the future: the machine's clock was set back, and would keep the task waiting for as long.
        return started is None or not now - self.period < started <= now

    @property
    def longest_pause(self) -> timedelta:
        return min(max(self.period, timedelta(minutes=1)), timedelta(minutes=15))

    @property
    def is_late_after(self) -> timedelta:
        """So long after it was last done somebody should look why."""
        return max(4 * self.period, timedelta(hours=1))


@dataclass(frozen=True)
class Daily:
    """Once on each day of the clinic, from that time on; on the days when the clocks change too."""

    at: time

    def is_due(self, now: datetime, started: datetime | None, succeeded: datetime | None) -> bool:
        return succeeded is None or not self.latest(now) <= succeeded <= now

    def latest(self, now: datetime) -> datetime:
        """The last moment at or before now at which it was due.

        In UTC: Python compares two moments of one zone by what the wall clock shows, which goes back in autumn.
        """
        day = timezone.localtime(now).date()
        moment = self._on(day)
        return moment if moment <= now.astimezone(UTC) else self._on(day - timedelta(days=1))

    def _on(self, day: date) -> datetime:
        zone = timezone.get_default_timezone()
        return datetime.combine(day, self.at, tzinfo=zone).astimezone(UTC)

    @property
    def longest_pause(self) -> timedelta:
        return timedelta(hours=1)

    @property
    def is_late_after(self) -> timedelta:
        return timedelta(hours=36)


def every(*, seconds: int = 0, minutes: int = 0) -> Every:
    return Every(timedelta(seconds=seconds, minutes=minutes))


def daily(*, at: int, minute: int = 0) -> Daily:
    return Daily(time(at, minute))


# Given when it last succeeded, None where it never did: whoever looks back looks back as far. Returns what is logged.
Work = Callable[[datetime | None], str | None]


@dataclass(frozen=True)
class Task:
    name: str
    rhythm: Every | Daily
    work: Work
    # Whoever runs for longer hangs, and a thread cannot be ended: the clock starts anew.
    longest: timedelta = timedelta(hours=1)


_TASKS: dict[str, Task] = {}


def register(
    name: str, rhythm: Every | Daily, work: Work, *, longest: timedelta = timedelta(hours=1)
) -> None:
    _TASKS[name] = Task(name, rhythm, work, longest)


def all_tasks() -> list[Task]:
    return list(_TASKS.values())


def named(name: str) -> Task:
    return _TASKS[name]


def command(name: str, *arguments: str) -> Work:
    """The work of a management command. A `CommandError` of it is a failure, and is tried again."""

    def work(_since: datetime | None) -> str:
        call_command(name, *arguments, stdout=(said := StringIO()))
        return said.getvalue()

    return work


def finding_command(name: str, *arguments: str) -> Work:
    """As `command`, where a `CommandError` says that the command looked and found something."""

    def work(_since: datetime | None) -> str:
        said = StringIO()
        try:
            call_command(name, *arguments, stdout=said)
        except CommandError as error:
            raise Found(f"{said.getvalue()}{error}") from error
        return said.getvalue()

    return work
