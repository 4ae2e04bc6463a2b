"""python -m tests.bench.importing, inside scripts/with_postgresql.sh: how long an import takes, and how much memory.

2,000 clients with 50 sessions each; a third of the ratings are totals alone. With --newest-first every number is
another one at the end than while the rows come in.
"""

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

import django

CLIENTS, SESSIONS = 2000, 50
THERAPISTS = [f"t{number}@clinic.example" for number in range(40)]
BY = "adam@clinic.example"
PEOPLE = ("E-mail address", "Name", "Roles")
CLIENT = ("Number", "Label", "Language of the form", "Age", "Therapist", "Opened on")
SESSION = (
    "Client",
    "Date",
    "Time",
    "Session id",
    "Relationship",
    "Goals and topics",
    "Approach",
    "Overall",
    "Total",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--newest-first", action="store_true")
    newest_first = parser.parse_args().newest_first
    if "THROW_AWAY_DATABASE" not in os.environ:
        sys.exit("This fills a database with invented people: run it inside scripts/with_postgresql.sh.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("create_administrator", BY, "Adam")
    with tempfile.TemporaryDirectory() as folder:
        for kind, header, rows in (
            ("people", PEOPLE, ((email, email, "therapist") for email in THERAPISTS)),
            ("clients", CLIENT, clients()),
            ("sessions", SESSION, sessions(newest_first=newest_first)),
        ):
            path = Path(folder, f"{kind}.csv")
            with path.open("w", newline="") as file:
                csv.writer(file).writerows([header, *rows])
            began, cpu = time.perf_counter(), time.process_time()
            call_command("import_csv", kind, str(path), by=BY)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            seconds, of_cpu = time.perf_counter() - began, time.process_time() - cpu
            print(f"{kind}: {seconds:.0f} s, {of_cpu:.0f} s of CPU of ours, {peak} MB at most")


def clients() -> Iterator[tuple[str, ...]]:
    for number in range(CLIENTS):
        yield f"{number}", f"C-{number}", "de", "adult", THERAPISTS[number % 40], "2024-01-01"


def sessions(*, newest_first: bool) -> list[tuple[str, ...]]:
    rng, rows = Random(1), []
    for client in range(CLIENTS):
        for week in range(SESSIONS):
            day = date(2024, 1, 8) + timedelta(weeks=week, days=client % 5)
            base = rng.randint(70, 98)
            lines = [min(100, base + rng.randint(-8, 4)) for _ in range(4)]
            marks = [f"{line / 10:.1f}" for line in lines]
            told = ("", "", "", "", f"{sum(lines) / 10:.1f}") if client % 3 == 0 else (*marks, "")
            rows.append((f"{client}", f"{day}", f"{8 + client % 10}:00", f"S{client}-{week}", *told))
    return sorted(rows, key=lambda row: row[1], reverse=True) if newest_first else rows


if __name__ == "__main__":
    main()
