"""python -m alliance.operations.serving: the web server, started anew when it ends without having been told to.

granian replaces a worker that dies. But where one dies again within 5.5 seconds of that, it ends all the others too:
the site would be gone, and come back only where a supervisor stands behind it. So it is supervised here. Ends with 0
only when it was told to stop; with 1 where the server does not stay alive, so that a supervisor behind can do more.

It loads nothing of the site: a process that only waits should not take the memory of one.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from alliance.operations import shared_metrics
from alliance.operations.listening import Listening, listening

ENDS_TOLERATED = 5
WITHIN = 120.0  # seconds
PAUSE = 1.0
STOPS_WITHIN = 20  # seconds that workers have for what they are at


def command(where: Listening) -> list[str]:
    """A worker reads bodies beside its threads, with a deadline (`whole_requests`); granian bounds the time of a head.

    900 connections: below the 1,024 open files that many systems allow a process.
    """
    return [
        str(Path(sys.executable).with_name("granian")),
        *("--interface", "asginl", "--no-ws", "--http", "1"),
        *("--host", where.host, "--port", str(where.port), "--workers", str(where.workers)),
        *("--http1-header-read-timeout", "10000", "--backpressure", "900"),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(STOPS_WITHIN), "--log-level", "warning"),
        "alliance.asgi:application",
    ]


class Server:
    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._is_told_to_stop = False

    def stop(self, number: int, _frame: FrameType | None) -> None:
        self._is_told_to_stop = True
        if self._process is not None:
            self._process.send_signal(number)

    def serve(self) -> int:
        """Until it is told to stop; the exit status."""
        ends: list[float] = []
        while True:
            # A group of its own: Ctrl-C reaches it through this process alone, and none of it can be left behind.
            self._process = subprocess.Popen(self._arguments, process_group=0)  # noqa: S603 - our own arguments
            if self._is_told_to_stop:
                self._process.terminate()
            status = self._process.wait()
            _end_what_is_left(self._process.pid)
            if self._is_told_to_stop:
                return 0
            now = time.monotonic()
            ends = [*(one for one in ends if now - one < WITHIN), now]
            if len(ends) > ENDS_TOLERATED:
                _say(f"The web server ended {len(ends)} times within {WITHIN:.0f} seconds. Giving up.")
                return 1
            _say(f"The web server ended by itself (status {status}). It is started anew.")
            time.sleep(PAUSE)
            if self._is_told_to_stop:
                return 0


def _end_what_is_left(group: int) -> None:
    """Workers whose parent was killed would keep the port, and answer as if nothing had happened."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def main() -> int:
    server = Server(command(listening()))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.stop)
    try:
        shared = shared_metrics.make()
    except OSError:
        shared = ""  # without room each worker counts for itself: that must keep nobody from working
    os.environ[shared_metrics.FOLDER] = shared
    try:
        return server.serve()
    finally:
        shared_metrics.remove(shared)


if __name__ == "__main__":
    sys.exit(main())
