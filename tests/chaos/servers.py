"""The processes of a site: its web server as `scripts/start.sh` starts it, and its clock."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from tests.chaos.cluster import children_of

ROOT = Path(__file__).resolve().parents[2]
SERVING = (sys.executable, "-m", "alliance.operations.serving")
START = ("bash", "scripts/start.sh")  # what brings the database up to date first


class NotStarted(Exception):
    """A process did not come up; the text says which."""


def environment(url: str, secret_key: str, *, root: Path = ROOT, **more: str) -> dict[str, str]:
    """root: where the code lies that is to run."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        "DATABASE_URL": url,
        "SECRET_KEY": secret_key,
        "TIME_ZONE": os.environ.get("TIME_ZONE", "UTC"),
        **more,
    }


class Process:
    """One of the site's, with a file for what it says. It is ended with all that it has begun."""

    def __init__(self, command: Sequence[str], said: Path, environ: dict[str, str]) -> None:
        self.said = said
        with said.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                cwd=environ["PYTHONPATH"],
                env=environ,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Told to stop; the exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            for pid in [*_family(self.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return self._process.wait()


def _family(pid: int) -> Iterator[int]:
    for child in list(children_of(pid)):
        yield from _family(child)
    yield pid


class Web(Process):
    def __init__(
        self, environ: dict[str, str], said: Path, *, workers: int = 2, command: Sequence[str] = SERVING
    ) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._again = (command, said, {**environ, "PORT": str(self.port), "WORKERS": str(workers)})
        super().__init__(*self._again)

    def start_again(self, root: Path | None = None) -> None:
        """On the same port, after it was ended; root: with the code that lies there."""
        command, said, environ = self._again
        if root:
            self._again = (command, said, {**environ, "PYTHONPATH": str(root)})
        super().__init__(*self._again)

    def workers(self) -> list[int]:
        """Those that answer: the children of granian, without what Python keeps beside them."""
        found = [child for granian in children_of(self.pid) for child in children_of(granian)]
        return [pid for pid in found if b"resource_tracker" not in _command_of(pid)]

    def kill_worker(self, place: int = 0) -> None:
        workers = self.workers()
        if workers:
            with suppress(ProcessLookupError):
                os.kill(workers[place % len(workers)], signal.SIGKILL)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Several times in a row, for each worker has to be there."""
        until, ready = time.monotonic() + seconds, 0
        while ready < 3:
            if self.has_ended() or time.monotonic() > until:
                raise NotStarted(f"The site did not start. {self.said.read_text()[-2000:]}")
            ready = ready + 1 if self.is_ready() else 0
            time.sleep(0.1)


def _command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
