"""The web server: a worker that dies again and again, a server that ends, a stop; and what .env says of it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from alliance.environment import Environment, SettingError
from alliance.operations import serving
from alliance.operations.listening import Listening, listening
from tests.alliance.operations.processes import ROOT, wait_until

PAGE = """
import os
async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
SUPERVISED = """
import signal, sys
from alliance.operations import serving
server = serving.Server(sys.argv[1:])
signal.signal(signal.SIGTERM, server.stop)
sys.exit(server.serve())
"""


@pytest.fixture
def server(tmp_path, unused_port):
    """The command of the site's server, for a page that says which process answered; and what asks it."""
    (tmp_path / "page.py").write_text(PAGE)
    *arguments, _application = serving.command(Listening("127.0.0.1", unused_port, workers=1, threads=2))
    arguments += ["--working-dir", str(tmp_path), "page:application"]

    def answering():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{unused_port}/", timeout=5) as answer:
                return int(answer.read())
        except OSError:
            return None

    return arguments, answering


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kill_a_worker_twice(answering):
    """The second time within 5.5 seconds of its respawn."""
    wait_until(answering)
    first = answering()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: answering() not in {None, first})
    second = answering()
    os.kill(second, signal.SIGKILL)
    return {first, second}


def test_a_worker_that_dies_again_within_seconds_does_not_end_the_site(server):
    arguments, answering = server
    with subprocess.Popen([sys.executable, "-c", SUPERVISED, *arguments], cwd=ROOT) as process:
        try:
            killed = kill_a_worker_twice(answering)
            wait_until(lambda: answering() not in {None, *killed})
            process.terminate()
            assert process.wait(timeout=30) == 0, "it was told to stop"
        finally:
            process.kill()
    assert answering() is None


def test_control_unsupervised_it_does_end(server):
    arguments, answering = server
    with subprocess.Popen(arguments, cwd=ROOT) as process:
        try:
            kill_a_worker_twice(answering)
            process.wait(timeout=60)
        finally:
            process.kill()
    assert answering() is None


def test_when_the_server_itself_is_killed_its_workers_go_and_another_comes(server):
    arguments, answering = server
    with subprocess.Popen([sys.executable, "-c", SUPERVISED, *arguments], cwd=ROOT) as process:
        try:
            wait_until(answering)
            orphan = answering()
            stat = Path(f"/proc/{orphan}/stat").read_text()
            os.kill(int(stat.rsplit(")", 1)[1].split()[1]), signal.SIGKILL)  # its parent
            wait_until(lambda: not Path(f"/proc/{orphan}").exists())
            wait_until(lambda: answering() not in {None, orphan})
            process.terminate()
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("status", ["true", "false"])
def test_a_server_that_never_stays_alive_is_given_up_with_another_status_than_0(monkeypatch, capfd, status):
    monkeypatch.setattr(serving, "PAUSE", 0)
    assert serving.Server([status]).serve() == 1
    assert "ended by itself" in capfd.readouterr().err


def test_what_env_says_of_the_server_is_read(tmp_path, monkeypatch):
    for name in ("BIND", "PORT", "WORKERS", "DATABASE_POOL"):
        monkeypatch.setenv(name, "")  # put back afterwards: reading the file writes to the environment
        monkeypatch.delenv(name)
    assert listening(Environment(tmp_path / "none")) == Listening("127.0.0.1", 8000, 2, 16)
    (tmp_path / ".env").write_text("PORT=8123\nWORKERS=3\nDATABASE_POOL=6\nBIND=127.0.0.2\n")
    assert listening(Environment(tmp_path / ".env")) == Listening("127.0.0.2", 8123, 3, 18)
    command = serving.command(listening(Environment(tmp_path / ".env")))
    for option, value in (("--port", "8123"), ("--workers", "3")):
        assert command[command.index(option) + 1] == value
    monkeypatch.setenv("PORT", "8200")
    assert listening(Environment(tmp_path / ".env")).port == 8200, "the environment wins"


@pytest.mark.parametrize(("name", "value"), [("PORT", "70000"), ("PORT", "http"), ("WORKERS", "0")])
def test_what_env_says_wrongly_stops_the_start_with_a_sentence(tmp_path, monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError):
        listening(Environment(tmp_path / "none"))
    assert f"Cannot start: {name} is" in capsys.readouterr().err
