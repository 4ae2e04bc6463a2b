"""python -m tests.bench.recomputation: how long it takes to compute every flag again, and how much memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

TARGET_SECONDS, TARGET_RATINGS = 300, 1_000_000


def measure(processes: int) -> None:
    """In the database of DATABASE_URL, which `fill` has filled; one cutoff changed, so that flags come and go."""
    from django.db import transaction
    from django.utils import timezone

    from alliance.models import User
    from sessions_app.courses.models import Rating
    from sessions_app.flags import recompute
    from sessions_app.instruments import rule_settings
    from sessions_app.instruments.clinic_settings import ClinicSettings

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
    from django.db import connection

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


if __name__ == "__main__":
    import django

    django.setup()
    measure(int(sys.argv[1]))
