"""How long the access log's page takes with 2,000,000 lines, by filter: CPU of the server and time in the database.

    scripts/with_postgresql.sh .venv/bin/python -m tests.bench.log_page
    DATABASE_URL=sqlite:////tmp/log.sqlite3 .venv/bin/python -m tests.bench.log_page     # a file that is not there yet

Elapsed times are the quietest of several: other work on the machine only ever adds to them.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

LINES = int(os.environ.get("LINES", "2000000"))
STAFF, CLIENTS, YEARS = 60, 4000, 2
ROUNDS = 7
# Shares of what is written, as counted in the invented clinic of `tests.bench.fill`.
ACTIONS = ("viewed", "viewed", "viewed", "handed over", "rated", "discussed", "session added", "signed in")


def main() -> None:
    os.environ.setdefault("DEBUG", "on")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "postgresql" and os.environ.get("THROW_AWAY_DATABASE") != "yes":
        sys.exit("This fills the database it is given: call it by scripts/with_postgresql.sh.")
    call_command("migrate", verbosity=0)
    from clients.models import Client

    if Client.objects.exists():
        sys.exit("This database has clients in it: give one that is not there yet.")
    fill()
    measure()


def fill() -> None:
    import random

    from django.db import connection, transaction
    from django.utils import timezone

    from alliance.models import User
    from clients.models import Client, Episode

    staff = [
        User.objects.create(name=f"Therapist {n}", email=f"t{n}@x.example", is_therapist=True)
        for n in range(STAFF)
    ]
    User.objects.create(name="Adam", email="adam@x.example", is_administrator=True)
    Client.objects.bulk_create([Client(label=f"C-{n:05}") for n in range(CLIENTS)])
    clients = list(Client.objects.order_by("pk"))
    day = timezone.localdate() - timedelta(days=365 * YEARS)
    Episode.objects.bulk_create(
        [Episode(client=one, therapist=staff[n % STAFF], opened_on=day) for n, one in enumerate(clients)]
    )
    codes = [one.code for one in clients]
    of_therapist = [json.dumps([one.hex for one in codes[n::STAFF]]) for n in range(STAFF)]
    drawn, now, step = random.Random(1), timezone.now(), timedelta(days=365 * YEARS) / LINES

    def lines() -> Iterator[tuple[Any, ...]]:
        for place in range(LINES):
            at, who = now - step * (LINES - place), drawn.randrange(STAFF)
            actor = staff[who].pk
            if place % 10 == 0:
                yield at, actor, "listed", "client", None, of_therapist[who], "{}"
            else:
                code = codes[who + STAFF * drawn.randrange(CLIENTS // STAFF)]
                yield at, actor, drawn.choice(ACTIONS), "episode", code, None, "{}"

    columns = "at, actor, action, entity, client, clients, detail"
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY alliance_auditevent ({columns}) FROM STDIN") as copy:
                for line in lines():
                    copy.write_row(line)
        else:
            sql = f"INSERT INTO alliance_auditevent ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"
            cursor.connection.executemany(sql, map(_for_sqlite, lines()))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _for_sqlite(line: tuple[Any, ...]) -> tuple[Any, ...]:
    """As Django stores them."""
    at, *others = line
    return (
        at.astimezone(UTC).replace(tzinfo=None).isoformat(" "),
        *(one.hex if isinstance(one, UUID) else one for one in others),
    )


def measure() -> None:
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client as Browser
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from alliance.models import User
    from clients.models import Episode

    long_ago = (timezone.localdate() - timedelta(days=365 * YEARS + 5)).isoformat()
    year = (timezone.localdate() - timedelta(days=365)).isoformat()
    some = User.objects.get(email="t7@x.example")
    log, everything = "/clinic/log/", {"since": long_ago}
    asked = {
        "last 30 days": (log, {}),
        "all lines": (log, everything),
        "all lines, looks at lists too": (log, {**everything, "action": "everything"}),
        "one page far back": (log, {**everything, "page": "20"}),
        "one person, all lines": (log, {**everything, "person": str(some.pk)}),
        "one event that is frequent": (log, {**everything, "action": "rated"}),
        "one event that is rare": (log, {**everything, "action": "settings changed"}),
        "written in the record": (log, {**everything, "action": "writings"}),
        "one client, 30 days": (log, {"client": "C-00907"}),
        "one client, all lines": (log, {**everything, "client": "C-00907"}),
        "a label that is in 1,000 clients": (log, {**everything, "client": "C-00"}),
        "one client, one event that is rare": (log, {**everything, "client": "C-00907", "action": "invited"}),
        "one person, one event that is rare": (
            log,
            {**everything, "person": str(some.pk), "action": "invited"},
        ),
        "a day a year ago": (log, {"since": year, "until": year}),
    }
    adam = User.objects.get(email="adam@x.example")
    of_adam, of_some = Browser(), Browser()
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    of_adam.force_login(adam, backend=backend)
    of_some.force_login(some, backend=backend)
    from django.urls import reverse

    who = reverse("clients:who_looked", args=[Episode.objects.filter(therapist=some).latest("pk").code])
    pages = [(of_adam, name, *page) for name, page in asked.items()]
    pages += [
        (of_some, "who looked at one client", who, {}),
        (of_some, "who looked, two years", who, everything),
    ]
    print("| asked for | CPU ms | elapsed ms | in the database ms |\n|---|---|---|---|")
    for browser, name, path, query in pages:
        best = [float("inf")] * 3
        for _ in range(ROUNDS):
            cache.clear()
            with CaptureQueriesContext(connection) as captured:
                cpu, clock = time.process_time(), time.perf_counter()
                answer = browser.get(path, query)
                took = (time.process_time() - cpu, time.perf_counter() - clock)
            assert answer.status_code == 200, (name, answer.status_code)
            asked_for = sum(float(one["time"]) for one in captured.captured_queries)
            best = [min(pair) for pair in zip(best, (*took, asked_for), strict=True)]
            if took[1] > 5:
                break
        print(f"| {name} | {best[0] * 1000:.0f} | {best[1] * 1000:.0f} | {best[2] * 1000:.0f} |", flush=True)


if __name__ == "__main__":
    main()
