"""That the clock is alive, and how its tasks fare: rows that it writes, and everybody who asks reads."""

import traceback
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError
from django.db import Error as DatabaseFault
from django.db import models
from django.utils import timezone

THE_ONE = 1


class ClockBeat(models.Model):
    """One row: the clock that leads, and when it last said so. It does every few seconds."""

    beat_at = models.DateTimeField()
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    leads_since = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=THE_ONE), name="clock_beat_is_one_row"),)

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}"


class ClockTask(models.Model):
    """How a task of the clock fared last."""

    name = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(
        null=True, help_text="Before `started_at`, or empty: it runs, or was cut off."
    )
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="How often in a row it failed.")
    error = models.TextField(
        blank=True,
        default="",
        help_text="What it failed at, or found. Nothing about a client: administrators read it.",
    )

    def __str__(self) -> str:
        return self.name

    @property
    def is_unfinished(self) -> bool:
        return self.started_at is not None and (self.ended_at is None or self.ended_at < self.started_at)


def beat(*, host: str, pid: int, leads_since: datetime) -> None:
    values = {"beat_at": timezone.now(), "host": host[:255], "pid": pid, "leads_since": leads_since}
    if not ClockBeat.objects.filter(pk=THE_ONE).update(**values):
        ClockBeat.objects.update_or_create(pk=THE_ONE, defaults=values)


def last_beat() -> ClockBeat | None:
    return ClockBeat.objects.first()


def rows() -> dict[str, ClockTask]:
    return {row.name: row for row in ClockTask.objects.all()}


def started(name: str) -> datetime | None:
    """Note that it runs; when it last succeeded."""
    row, _new = ClockTask.objects.get_or_create(name=name)
    ClockTask.objects.filter(pk=row.pk).update(started_at=timezone.now())
    return row.succeeded_at


def succeeded(name: str, *, began: datetime, found: str = "") -> None:
    """It is counted from its beginning: what came up while it ran is looked at the next time."""
    ClockTask.objects.filter(name=name).update(
        ended_at=timezone.now(), succeeded_at=began, failures=0, error=found
    )


def failed(name: str, *, error: str) -> None:
    ClockTask.objects.filter(name=name).update(
        ended_at=timezone.now(), failures=models.F("failures") + 1, error=error
    )


def in_words(error: BaseException) -> str:
    """What went wrong, without the error's own text: that may hold a label, a row or a password."""
    if isinstance(error, CommandError):
        return str(error)  # a sentence of ours
    if isinstance(error, DatabaseFault):
        return f"The database did not do what it was asked ({type(error).__name__})."
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(settings.BASE_DIR) and ".venv" not in frame.filename
    ]
    at = (
        f" in {Path(ours[-1].filename).relative_to(settings.BASE_DIR)}, line {ours[-1].lineno}"
        if ours
        else ""
    )
    return f"{type(error).__name__}{at}. The log of the clock says more."
