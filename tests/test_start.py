"""The start-up path of the compose file, without its containers: the same scripts, a real PostgreSQL."""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.postgresql


@pytest.fixture(autouse=True)
def one_at_a_time(tmp_path_factory):
    """They share a database and the folder of the collected files, on however many processes they run."""
    with open(tmp_path_factory.getbasetemp().parent / "start.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def environment():
    """What the compose file gives to the web service, blanks included."""
    if "THROW_AWAY_DATABASE" not in os.environ:
        # Never the database that DATABASE_URL may name here: it could be somebody's.
        pytest.fail('Run these with scripts/with_postgresql.sh, or leave them out with -m "not postgresql".')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SECRET_KEY_FALLBACKS": "",
        "ALLOWED_HOSTS": "alliance.clinic.example",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "TRUSTED_PROXIES": "1",
        "TIME_ZONE": "Europe/Berlin",
        "EMAIL_URL": "",
        "PORT": str(port),
        "WORKERS": "1",
    }


@pytest.fixture
def web(environment):
    # As the image is built. A fresh clone has no collected files, and every page names some.
    collect = [sys.executable, ROOT / "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, env=environment, check=True)
    process = subprocess.Popen([ROOT / "scripts" / "start.sh"], env=environment)
    yield process
    process.terminate()  # not killed: its workers would outlive it
    process.wait(timeout=30)


def healthy(service, environment):
    command = [sys.executable, ROOT / "scripts" / "healthy.py", service]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def wait_until(condition, seconds=180):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


def test_starts_on_an_empty_database_and_stops_when_told(environment, web):
    assert not healthy("web", environment)
    wait_until(lambda: healthy("web", environment))

    url = f"http://127.0.0.1:{environment['PORT']}/healthz"
    headers = {
        "Host": "alliance.clinic.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "192.0.2.1",
    }
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    with pytest.raises(OSError, match="400"):
        urllib.request.urlopen(url, timeout=20)  # under a name that is not the site's

    web.send_signal(signal.SIGTERM)
    assert web.wait(timeout=15) == 0


def test_two_hundred_slow_visitors_of_the_sign_in_page_change_nothing(environment, web):
    """With the cookie that lets the site read what they send. Without the buffer two dozen stopped the clinic."""
    wait_until(lambda: healthy("web", environment))
    head = (
        "POST /accounts/login/ HTTP/1.1\r\nHost: alliance.clinic.example\r\nX-Forwarded-Proto: https\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n"
        f"Cookie: __Host-csrf={'a' * 32}\r\n\r\nl"
    )
    with ExitStack() as held:
        for _ in range(200):
            address = ("127.0.0.1", int(environment["PORT"]))
            held.enter_context(socket.create_connection(address, timeout=20)).sendall(head.encode())
        assert all(healthy("web", environment) for _ in range(3))


def test_the_clock_ticks_and_stops_at_once(environment, web):
    wait_until(lambda: healthy("web", environment))
    assert not healthy("clock", environment)
    clock = subprocess.Popen([sys.executable, ROOT / "manage.py", "clock"], env=environment)
    try:
        wait_until(lambda: healthy("clock", environment))
        clock.send_signal(signal.SIGTERM)
        assert clock.wait(timeout=5) == 0
    finally:
        clock.kill()
