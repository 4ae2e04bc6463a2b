"""python -m tests.bench.fill: fills the database of DATABASE_URL with an invented clinic, and says what it holds."""

import argparse
import os
import sys
import time

COPIES = 45  # besides the clinic itself: together a million ratings of 20,240 clients


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--copies", type=int, default=0, help="of the clinic, with as many closed courses as open ones"
    )
    copies = parser.parse_args().copies
    if "THROW_AWAY_DATABASE" not in os.environ:
        sys.exit("This fills a database with invented people: run it with `make bench`.")
    import django

    django.setup()
    began = time.monotonic()
    fill(copies)
    print(f"{_held()}; made in {time.monotonic() - began:.0f} s", flush=True)


def fill(copies: int) -> None:
    """The facts, what follows from them, copies of both, and the log. Ends where a sample is not as computed afresh."""
    from django.core.management import call_command
    from django.db import transaction
    from django.utils import timezone

    from tests.bench import conclusions, facts, log_lines
    from tests.bench import copies as copying

    now = timezone.now()
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        facts.write(now, history=copies > 0)
    conclusions.write(now)
    analyze()
    if copies:
        copying.multiply(copies)
        conclusions.name_sessions_of_the_copy()
        analyze()
    if wrong := conclusions.differing():
        print(f"Copies do not keep everything; all is computed again. {wrong}", flush=True)
        conclusions.recompute(processes=2)
        if wrong := conclusions.differing():
            sys.exit(f"The benchmark is not valid: {wrong}")
    log_lines.write()
    analyze()


def analyze() -> None:
    """What a running PostgreSQL does by itself within minutes: without it the first plans are guesses."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def _held() -> str:
    from django.apps import apps

    names = {
        "ratings": "sessions_app.Rating",
        "clients": "clients.Client",
        "flags": "sessions_app.Flag",
        "talks": "sessions_app.Discussion",
        "lines of the log": "alliance.AuditEvent",
    }
    counts = {name: apps.get_model(label).objects.count() for name, label in names.items()}
    therapists = apps.get_model("alliance.User").objects.filter(is_therapist=True).count()
    return ", ".join(f"{count:,} {name}" for name, count in {**counts, "therapists": therapists}.items())


if __name__ == "__main__":
    main()
