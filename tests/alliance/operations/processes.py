"""A program of the site beside the tests, on their database."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


def url_of_the_tests():
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{Path(at['NAME']).resolve()}"
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def environment(url=None):
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "alliance.settings",
        "DEMO": "on",
        "DEMO_ON_POSTGRESQL": "on",
        "SECRET_KEY": "k" * 64,
        "DATABASE_URL": url or url_of_the_tests(),
    }


@contextmanager
def started(*arguments, said, url=None):
    """A process of Python that writes what it says to the file `said`; it is killed afterwards."""
    with said.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=environment(url),
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
