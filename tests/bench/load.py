"""Sends requests over HTTP for a while, and reads what the web server's processes and the database used."""

import gzip
import http.client
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tests.bench.database import Server, Spent
from tests.bench.pages import Page


@dataclass(frozen=True)
class Request:
    """One request of the benchmark, ready to be sent."""

    path: str
    cookies: str = ""
    delivery: str = ""  # sealed marks, as a device sends them
    is_poll: bool = False

    @property
    def headers(self) -> dict[str, str]:
        cookies = {"Cookie": self.cookies} if self.cookies else {}
        poll = {"X-Poll": "1", "HX-Request": "true"} if self.is_poll else {}
        return {"Accept-Encoding": "br, gzip", **cookies, **poll}


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes  # as it came over the line
    encoding: str

    @property
    def compressed_bytes(self) -> int:
        """As sent; what the site sends as it is, a proxy in front would compress."""
        return len(self.content) if self.encoding else len(gzip.compress(self.content, 6))

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass
class Site:
    """A running web server and its database."""

    port: int
    pid: int
    database: str
    server: Server


@dataclass(frozen=True)
class Measured:
    """One page in one round."""

    requests: int
    cpu_seconds: float  # of the web server
    spent: Spent  # in the database
    times_ms: list[float]
    bytes: int = 0

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(
            self.requests + other.requests,
            self.cpu_seconds + other.cpu_seconds,
            self.spent + other.spent,
            self.times_ms + other.times_ms,
            self.bytes,
        )

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / self.requests

    @property
    def database_cpu_ms(self) -> float:
        return 1000 * self.spent.cpu_seconds / self.requests


@dataclass
class _Run:
    source: Iterator[Request]
    until: float
    status: int
    times: list[float] = field(default_factory=list)
    largest: int = 0
    wrong: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_one(self) -> Request | None:
        with self.lock:
            is_over = self.wrong or (self.times and time.monotonic() >= self.until)
            return None if is_over else next(self.source, None)


class NotValid(Exception):
    """A page answered otherwise than it should, so that its figures would mean nothing."""


def measure(site: Site, page: Page, requests: list[Request], seconds: float, threads: int) -> Measured:
    """For so many seconds, or until each was sent once."""
    run = _Run(iter(requests) if page.once else cycle(requests), time.monotonic() + seconds, page.status)
    before, used = site.server.spent(site.database), cpu_seconds(site.pid)
    senders = [threading.Thread(target=_send, args=(site.port, run)) for _ in range(threads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    used = cpu_seconds(site.pid) - used
    spent = site.server.spent(site.database).since(before)
    if run.wrong:
        raise NotValid(run.wrong)
    return Measured(len(run.times), used, spent, run.times, run.largest)


def _send(port: int, run: _Run) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for request in iter(run.next_one, None):
        began = time.perf_counter()
        answer = _sent(connection, request)
        run.times.append(1000 * (time.perf_counter() - began))
        if len(run.times) == 1:
            run.largest = answer.compressed_bytes
        if answer.status != run.status:
            run.wrong = f"{request.path} answered {answer.status}"
    connection.close()


def fetch(port: int, request: Request) -> Answer:
    """One request on a connection of its own: which worker answers is drawn anew."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        return _sent(connection, request)
    finally:
        connection.close()


def page(port: int, request: Request) -> str:
    """The text of a page, as a browser shows it."""
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        plain.request("GET", request.path, headers={**request.headers, "Accept-Encoding": "identity"})
        return plain.getresponse().read().decode()
    finally:
        plain.close()


def _sent(connection: http.client.HTTPConnection, request: Request) -> Answer:
    headers = request.headers
    if request.delivery:
        origin = f"http://{connection.host}:{connection.port}"
        headers = {**headers, "Content-Type": "application/json", "Origin": origin}
    connection.request("POST" if request.delivery else "GET", request.path, request.delivery or None, headers)
    answer = connection.getresponse()
    return Answer(answer.status, answer.read(), answer.headers.get("Content-Encoding", ""))


def cpu_seconds(server: int) -> float:
    """Processor time of the web server and its workers, without the database; NaN where /proc is missing."""
    try:
        return sum(_ticks(pid) for pid in _family(server)) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return float("nan")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # user and system time, proc(5)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))
