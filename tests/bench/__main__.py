"""python -m tests.bench, inside scripts/with_postgresql.sh: fills a throw-away database, measures, prints a table."""

import argparse
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.data import Request
    from tests.bench.load import Measured

BARE = "a bare page"


def main() -> None:
    arguments = _arguments()
    if "THROW_AWAY_DATABASE" not in os.environ:
        sys.exit("This fills a database with invented people: run it with `make bench`.")
    os.environ.update(DJANGO_SETTINGS_MODULE="tests.bench.settings", SECRET_KEY=secrets.token_urlsafe(64))
    import django

    django.setup()
    from tests.bench import data, recomputation, tablet

    _fill(arguments.therapists)
    if not arguments.only_recomputation:
        with _server(arguments.workers) as (port, pid):
            results = list(_results(arguments, port, pid))
            _print_table(results)
            tablet.measure(port, data.rating_forms(6, hand_in=False))
    recomputation.measure(arguments.ratings, arguments.processes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--therapists", type=int, default=100, help="20 clients and about 160 ratings each")
    parser.add_argument("--seconds", type=float, default=5, help="for each page")
    parser.add_argument("--threads", type=int, default=4, help="that ask at the same time")
    parser.add_argument("--workers", type=int, default=1, help="processes of the web server")
    parser.add_argument("--ratings", type=int, default=100_000, help="whose flags are computed again")
    parser.add_argument("--processes", type=int, default=2, help="that compute flags again")
    parser.add_argument("--only-recomputation", action="store_true", help="leave the pages out")
    return parser.parse_args()


def _fill(therapists: int) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from tests.bench import data

    began = time.monotonic()
    call_command("migrate", verbosity=0)
    counts = data.fill(therapists, timezone.now())
    data.analyze()
    made = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print(f"{made}; made in {time.monotonic() - began:.0f} s\n", flush=True)


@contextmanager
def _server(workers: int) -> Iterator[tuple[int, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    granian = Path(sys.executable).with_name("granian")
    options = ["--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--workers", str(workers), "--blocking-threads", "4", "--log-level", "warning"]
    options += ["--workers-kill-timeout", "5", "alliance.wsgi:application"]
    process = subprocess.Popen([granian, *options])
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - http on 127.0.0.1
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit("The web server did not start.")


def _results(arguments: argparse.Namespace, port: int, pid: int) -> Iterator[tuple["Measured", int]]:
    from tests.bench import data, load

    most = int(arguments.seconds * 400)  # more ratings than this nobody hands in in that time
    pages: dict[str, Callable[[], list[Request]]] = {
        BARE: lambda: [data.Request("/bare")],
        "rating form": lambda: data.rating_forms(50, hand_in=False),
        "work list": lambda: data.work_lists(20),
        "client's page": lambda: data.client_pages(20),
        "caseload": lambda: data.caseloads(5),
        # The last: it adds ratings.
        "rating handed in": lambda: data.rating_forms(most, hand_in=True),
    }
    for name, make in pages.items():
        requests = make()
        queries = _queries(requests.pop() if requests[0].delivery else requests[0])
        once = bool(requests[0].delivery)
        options = {"threads": arguments.threads, "once": once}
        if not once:
            load.measure(name, port, pid, requests, seconds=1, **options)  # warm
        yield load.measure(name, port, pid, requests, seconds=arguments.seconds, **options), queries


def _queries(request: "Request") -> int:
    """Counted in this process, on the same page with the same cookie."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    browser = Client(HTTP_COOKIE=request.cookies) if request.cookies else Client()
    with CaptureQueriesContext(connection) as queries:
        if request.delivery:
            origin = {"Origin": "http://testserver"}
            browser.post(request.path, request.delivery, content_type="application/json", headers=origin)
        else:
            browser.get(request.path)
    return len(queries)


def _print_table(results: list[tuple["Measured", int]]) -> None:
    bare = results[0][0]
    heads = (
        ("requests/s", 11),
        ("slower", 9),
        ("CPU ms", 9),
        ("CPU", 8),
        ("p50 ms", 9),
        ("p95 ms", 9),
        ("KiB", 7),
    )
    print(" " * 18 + "".join(f"{head:>{width}}" for head, width in (*heads, ("queries", 9))))
    for one, queries in results:
        print(
            f"{one.name:<18}{one.per_second:>11.0f}{bare.per_second / one.per_second:>8.1f}x{one.cpu_ms:>9.2f}"
            f"{one.cpu_ms / bare.cpu_ms:>7.1f}x{one.percentile(0.5):>9.1f}{one.percentile(0.95):>9.1f}"
            f"{one.bytes / 1024:>7.1f}{queries:>9}"
        )
    print("\nCPU: the web server's alone, for one request. The load comes from the same machine.")


if __name__ == "__main__":
    main()
