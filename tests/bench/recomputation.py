"""How long it takes to compute every flag again, and how much memory: a clinic multiplied, one cutoff changed."""

import os
import subprocess
import sys
import time
from pathlib import Path

from django.db import connection, models, transaction
from django.utils import timezone

from alliance.models import User
from clients.models import Client, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags import recompute
from sessions_app.flags.models import Flag
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from tests.bench.data import analyze

COPIED = (Client, Episode, TherapySession, RatingGrant, Rating, Flag)  # in the order of what hangs on what
TARGET_SECONDS, TARGET_RATINGS = 300, 1_000_000


def measure(ratings: int, processes: int) -> None:
    began = time.monotonic()
    multiply(ratings)
    print(
        f"\nmultiplied to {Rating.objects.count():,} ratings in {time.monotonic() - began:.0f} s", flush=True
    )
    with transaction.atomic():
        boss = User.objects.all()[0]
        ClinicSettings.objects.create(
            version=1, rules={"session-rating": {"": {"cutoff": 340}}}, made_by=boss, made_at=timezone.now()
        )
        run = recompute.begin(by=None)
    before = _database_cpu()
    seconds, peak, cpu = _run(processes)
    database_cpu = _database_cpu() - before
    run.refresh_from_db()
    done = Rating.objects.count()
    assert run.finished_at is not None
    assert rule_settings.in_force().version == 1
    print(
        f"flags computed again: {done:,} ratings, {run.episodes:,} episodes, {run.changed:,} flags changed\n"
        f"{processes} processes, {seconds:.0f} s, {done / seconds:,.0f} ratings/s, "
        f"peak memory of the largest process {peak:.0f} MiB\n"
        f"CPU: {cpu:.0f} s of ours, {database_cpu:.0f} s of PostgreSQL's; a machine that does nothing else needs that\n"
        f"at this pace {TARGET_RATINGS:,} ratings take {seconds * TARGET_RATINGS / done:.0f} s "
        f"(target: under {TARGET_SECONDS})"
    )


def _run(processes: int) -> tuple[float, float, float]:
    """Seconds, MiB and seconds of CPU of the command as a clinic would run it."""
    manage = Path(__file__).resolve().parents[2] / "manage.py"
    command = [sys.executable, str(manage), "recompute_flags", "--processes", str(processes)]
    began = time.monotonic()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("The computation failed.")
    return time.monotonic() - began, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime


def _database_cpu() -> float:
    """Seconds that PostgreSQL's processes have used so far, those that ended included. Linux alone tells."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = _stat(cursor.fetchone()[0])[1]
    ticks = sum(map(int, _stat(server)[11:15]))  # its own, and those of children that ended
    alive = [one for one in Path("/proc").iterdir() if one.name.isdigit() and _stat(one.name)[1] == server]
    ticks += sum(sum(map(int, _stat(one.name)[11:13])) for one in alive)
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int | str) -> list[str]:
    """The fields of proc(5) from the state on; the parent is the second."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return ["", ""] + ["0"] * 13  # it ended meanwhile


@transaction.atomic
def multiply(ratings: int) -> None:
    """Copies of every course, with everything that hangs on it, until there are so many ratings."""
    there = Rating.objects.count()
    apart = {model: _highest(model) for model in COPIED}
    for copy in range(1, -(-ratings // there)):
        for model in COPIED:
            _copy(model, {one: copy * highest for one, highest in apart.items()}, apart[model])
    with connection.cursor() as cursor:
        for model in COPIED:
            table = model._meta.db_table
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608
    analyze()


def _highest(model: type[models.Model]) -> int:
    highest: int = model._default_manager.order_by("-pk").values_list("pk", flat=True)[0]
    return highest


def _copy(model: type[models.Model], shift: dict[type[models.Model], int], highest: int) -> None:
    values = [_value(field, shift) for field in model._meta.concrete_fields]
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    table = model._meta.db_table
    with connection.cursor() as cursor:  # names of our own models only
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {', '.join(values)} FROM {table} WHERE id <= {highest}"  # noqa: S608
        )


def _value(field: models.Field, shift: dict[type[models.Model], int]) -> str:  # type: ignore[type-arg]
    column = f'"{field.column}"'
    if field.primary_key:
        return f"{column} + {shift[field.model]}"
    if field.is_relation and field.related_model in shift:
        return f"{column} + {shift[field.related_model]}"
    if _stands_once(field) and isinstance(field, models.UUIDField):
        return f"CASE WHEN {column} IS NOT NULL THEN gen_random_uuid() END"
    if _stands_once(field) and isinstance(field, models.CharField):
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE md5(random()::text) || md5(random()::text) END"
    return column


def _stands_once(field: models.Field) -> bool:  # type: ignore[type-arg]
    rules = field.model._meta.constraints
    alone = (rule.fields for rule in rules if isinstance(rule, models.UniqueConstraint))
    return field.unique or (field.name,) in alone
