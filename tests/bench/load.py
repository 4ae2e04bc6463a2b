"""Sends requests from a few threads for a few seconds, and reads what the server's processes used."""

import http.client
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tests.bench.data import Request


@dataclass(frozen=True)
class Measured:
    name: str
    requests: int
    seconds: float
    cpu_ms: float
    times_ms: list[float]
    bytes: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        return sorted(self.times_ms)[min(len(self.times_ms) - 1, int(len(self.times_ms) * share))]


def measure(
    name: str, port: int, server: int, requests: list[Request], *, seconds: float, threads: int, once: bool
) -> Measured:
    """`once`: no request is sent twice, and the run ends when there are no more."""
    source = iter(requests) if once else cycle(requests)
    lock, until = threading.Lock(), time.monotonic() + seconds
    times: list[float] = []
    sizes: list[int] = []
    wrong: list[str] = []

    def next_one() -> Request | None:
        with lock:
            return next(source, None) if time.monotonic() < until and not wrong else None

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for request in iter(next_one, None):
            began = time.perf_counter()
            status, size = _sent(connection, request)
            times.append(1000 * (time.perf_counter() - began))
            sizes.append(size)
            if status not in (200, 201):
                wrong.append(f"{request.path} answered {status}")
        connection.close()

    began, used = time.monotonic(), cpu_seconds(server)
    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    elapsed, used = time.monotonic() - began, cpu_seconds(server) - used
    if wrong:
        raise SystemExit(f"The benchmark is not valid: {wrong[0]}.")
    return Measured(name, len(times), elapsed, 1000 * used / len(times), times, max(sizes))


def _sent(connection: http.client.HTTPConnection, request: Request) -> tuple[int, int]:
    headers = {"Cookie": request.cookies} if request.cookies else {}
    if request.delivery:
        origin = f"http://{connection.host}:{connection.port}"
        headers |= {"Content-Type": "application/json", "Origin": origin}
    connection.request("POST" if request.delivery else "GET", request.path, request.delivery or None, headers)
    answer = connection.getresponse()
    return answer.status, len(answer.read())


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
