"""Visitors who send or read slowly on purpose. 24 of them stopped the whole clinic, without signing in."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator

from alliance.operations import serving
from alliance.operations.listening import Listening
from alliance.operations.whole_requests import Limits, WholeRequests
from tests.alliance.operations.slow_site import unprotected

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int, timeout: float) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=timeout) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def slow_visitors(port: int, many: int):
    """Each has promised 5,000 bytes and sent one."""
    with ExitStack() as held:
        for _ in range(many):
            visitor = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            visitor.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\na")
        yield


@pytest.fixture
def served(request):
    """A port on which granian serves one of the two, as scripts/start.sh has it serve the site."""
    interface, name = request.param
    port = free_port()
    command = [Path(sys.executable).with_name("granian"), "--interface", interface, "--no-ws", "--http", "1"]
    command += ["--port", str(port), "--log-level", "error", "--workers-kill-timeout", "1"]
    if interface == "wsgi":
        command += ["--blocking-threads", "2"]
    process = subprocess.Popen([*command, f"tests.alliance.operations.slow_site:{name}"], cwd=ROOT)
    try:
        until = time.monotonic() + 20
        while not answers(port, 1):
            assert time.monotonic() < until, "it did not start"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.mark.parametrize("served", [("asginl", "protected")], indirect=True)
def test_two_hundred_slow_visitors_change_nothing_for_the_others(served):
    with slow_visitors(served, 200):
        assert all(answers(served, 20) for _ in range(10))
    assert answers(served, 20)


@pytest.mark.parametrize("served", [("wsgi", "unprotected")], indirect=True)
def test_without_the_buffer_two_dozen_slow_visitors_stop_the_site(served):
    with slow_visitors(served, 24):
        assert not all(answers(served, 1) for _ in range(5))


def test_the_site_is_served_behind_the_buffer_with_a_time_for_heads():
    words = serving.command(Listening("127.0.0.1", 8000, workers=2, threads=4))
    for name, value in (
        ("--interface", "asginl"),
        ("--http", "1"),
        ("--http1-header-read-timeout", "10000"),
        ("--backpressure", "900"),
    ):
        assert words[words.index(name) + 1] == value
    assert words[-1] == "alliance.asgi:application"


# --- One request at a time -----------------------------------------------------------------------


def scope(method="POST", *headers):
    return {
        "type": "http",
        "method": method,
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"q=1",
        "http_version": "1.1",
        "headers": list(headers),
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8000),
    }


def asked(site, *parts, of=None, **limits):
    """What a browser is answered that sends these parts; without a last one it goes on and on."""

    async def ask():
        front = WholeRequests(site, threads=1, limits=Limits(**limits))
        visitor = ApplicationCommunicator(front, of or scope())
        for part in parts:
            await visitor.send_input({"type": "http.request", **part})
        start = await visitor.receive_output(5)
        body, more = b"", True
        while more:
            message = await visitor.receive_output(5)
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await visitor.wait(5)
        return start["status"], dict(start["headers"]), body

    return asyncio.run(ask())


class Site:
    """Notes what it was asked; answers with `body`."""

    def __init__(self, body=(b"ok",)):
        self.body, self.environs, self.sent = body, [], []

    def __call__(self, environ, start_response):
        self.environs.append(environ)
        self.sent.append(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1")])
        return self.body


def test_a_body_that_does_not_come_in_time_is_a_408_and_no_thread_sees_it():
    site = Site()
    status, headers, body = asked(site, {"body": b"a", "more_body": True}, seconds=0.05)
    assert (status, site.environs) == (408, [])
    assert b"Nothing of it was read" in body
    assert headers[b"cache-control"] == b"no-store"


def test_a_large_body_has_as_much_more_time_as_its_bytes_need():
    """Dripped by the byte, it is over all the same."""
    site = Site()

    async def drip(bytes_a_second):
        sent = 0

        async def receive():
            nonlocal sent
            await asyncio.sleep(0.02)
            sent += 1
            return {"type": "http.request", "body": b"x" * 1000, "more_body": sent < 12}

        answers = []

        async def send(message):
            answers.append(message)

        limits = Limits(seconds=0.1, bytes_a_second=bytes_a_second)
        await WholeRequests(site, threads=1, limits=limits)(scope(), receive, send)
        return answers[0]["status"]

    assert asyncio.run(drip(10_000)) == 200
    assert asyncio.run(drip(10_000_000)) == 408


def test_a_body_that_is_too_large_is_a_413_and_no_thread_sees_it():
    site = Site()
    assert asked(site, {"body": b"x" * 11, "more_body": True}, bytes_of_one=10)[0] == 413
    assert site.environs == []
    assert asked(site, {"body": b"x" * 10, "more_body": False}, bytes_of_one=10)[0] == 200


def test_files_sent_at_once_fill_no_disk_and_small_forms_pass_beside_them():
    large, small = {"body": b"x" * 300_000, "more_body": True}, {"body": b"x" * 1000, "more_body": False}

    async def ask():
        front = WholeRequests(Site(), threads=1, limits=Limits(bytes_of_all=400_000))
        first = ApplicationCommunicator(front, scope())
        await first.send_input({"type": "http.request", **large})
        assert await first.receive_nothing(0.05)
        statuses = []
        for part in (large, small):
            visitor = ApplicationCommunicator(front, scope())
            await visitor.send_input({"type": "http.request", **part})
            statuses.append((await visitor.receive_output(5))["status"])
        await first.send_input({"type": "http.disconnect"})
        await first.wait(5)
        visitor = ApplicationCommunicator(front, scope())
        await visitor.send_input({"type": "http.request", **large})
        await visitor.send_input({"type": "http.request", "body": b""})
        statuses.append((await visitor.receive_output(5))["status"])
        return statuses

    assert asyncio.run(ask()) == [503, 200, 200]


def test_who_goes_away_before_the_end_of_a_body_has_sent_nothing():
    site = Site()

    async def ask():
        visitor = ApplicationCommunicator(WholeRequests(site, threads=1), scope())
        await visitor.send_input({"type": "http.request", "body": b"a", "more_body": True})
        await visitor.send_input({"type": "http.disconnect"})
        await visitor.wait(5)

    asyncio.run(ask())
    assert site.environs == []


def test_the_site_reads_the_request_as_it_was_sent():
    site = Site()
    headers = [
        *(
            (b"content-length", b"99"),
            (b"content-type", b"text/plain"),
            (b"cookie", b"a=1"),
            (b"cookie", b"b=2"),
        ),
        *((b"x-forwarded-for", b"192.0.2.9"), (b"x_forwarded_for", b"203.0.113.1")),
        *((b"transfer-encoding", b"chunked"), (b"host", b"localhost")),
    ]
    parts = ({"body": b"one ", "more_body": True}, {"body": b"two", "more_body": False})
    status, answered, body = asked(site, *parts, of=scope("POST", *headers))
    assert (status, body, site.sent) == (200, b"ok", [b"one two"])
    assert answered[b"set-cookie"] == b"a=1"
    (environ,) = site.environs
    told = ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_COOKIE", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR")
    assert [environ[name] for name in told] == ["7", "text/plain", "a=1; b=2", "/a b", "q=1", "192.0.2.1"]
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.9", "an underscore would pass for a dash"
    assert not {"HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_LENGTH", "PATH"} & set(environ)


def test_an_error_of_the_site_is_a_500_and_the_thread_goes_on():
    def breaks(environ, start_response):
        raise RuntimeError

    assert asked(breaks, {})[0] == 500


class Growing:
    """A page that is sent piece by piece, as Django has it."""

    streaming = True

    def __init__(self):
        self.closed = False

    def __iter__(self):
        yield b"one "
        yield b"two"

    def close(self):
        self.closed = True


def test_a_page_that_grows_is_sent_as_it_grows():
    growing = Growing()
    assert asked(Site(growing), {})[2] == b"one two"
    assert growing.closed


class Endless:
    """A large file that somebody reads slowly."""

    closed = False

    def read(self, size):
        return b"x" * size

    def close(self):
        self.closed = True


def test_slow_readers_of_a_file_hold_no_thread():
    """The picture of a course needs a file of a megabyte, which anybody may ask for."""

    def site(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](Endless()) if environ["REQUEST_METHOD"] == "GET" else [b"ok"]

    async def ask():
        front, stuck = WholeRequests(site, threads=1), asyncio.Event()

        async def receive():
            return {"type": "http.request"}

        async def reads_nothing(message):
            await stuck.wait()

        readers = [asyncio.create_task(front(scope("GET"), receive, reads_nothing)) for _ in range(5)]
        await asyncio.sleep(0.05)
        visitor = ApplicationCommunicator(front, scope())
        await visitor.send_input({"type": "http.request"})
        status = (await visitor.receive_output(5))["status"]
        for reader in readers:
            reader.cancel()
        return status

    assert asyncio.run(ask()) == 200


def test_somebody_who_stops_reading_a_growing_page_is_let_go():
    growing, threads = Growing(), threading.active_count()

    async def ask():
        front = WholeRequests(Site(growing), threads=1, limits=Limits(seconds_to_take=0.05))

        async def receive():
            return {"type": "http.request"}

        async def reads_nothing(message):
            await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await front(scope("GET"), receive, reads_nothing)

    asyncio.run(ask())
    assert growing.closed
    assert threads <= threading.active_count() + 1


def test_the_control_reads_what_it_is_sent():
    assert asked(unprotected, {})[2] == b"ok"
