"""A revision's site, filled and served: its folder, its environment, its processes."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """A step of a revision did not work there; the text is its last words."""


@dataclass(frozen=True)
class Filled:
    """A revision's code and a database that holds the invented clinic."""

    folder: Path
    database: str
    url: str
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "SECRET_KEY": self.secret_key,
            "DATABASE_URL": self.url,
            "PYTHONPATH": str(self.folder),
        }

    def run(self, *module_and_arguments: str) -> str:
        """python -m in the revision's folder; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", *module_and_arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Failed(f"{' '.join(module_and_arguments)}: {said[-1] if said else done.returncode}")
        return done.stdout

    def browsers(self, handed_in: int) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(self.run("tests.bench.browsers", str(handed_in)))
        return asked

    @contextmanager
    def served(self, workers: int) -> Iterator[tuple[int, int]]:
        """Port and process of the site's web server, as scripts/start.sh starts it."""
        port = _free_port()
        granian = Path(sys.executable).with_name("granian")
        is_asgi = (self.folder / "alliance" / "asgi.py").exists()  # an older commit has none
        interface, name = ("asginl", "asgi") if is_asgi else ("wsgi", "wsgi")
        options = [
            "--interface",
            interface,
            "--no-ws",
            "--http",
            "1",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        options += ["--workers", str(workers), "--log-level", "error"]
        options += ["--workers-kill-timeout", "5", f"alliance.{name}:application"]
        if not is_asgi:
            options += ["--blocking-threads", "4"]
        # The line of each request goes to a file, as to a clinic's log: among the tables nobody could read them.
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen([granian, *options], cwd=self.folder, env=self.environment, stderr=log)
            try:
                _wait_for(f"http://127.0.0.1:{port}/healthz")
                yield port, process.pid
            finally:
                process.terminate()
                process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - http on 127.0.0.1
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise Failed("The web server did not start.")


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A revision in a folder of its own, with this benchmark in place of its own; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-")) / "site"
    _git("worktree", "add", "--detach", "--quiet", str(folder), revision)
    try:
        shutil.rmtree(folder / "tests" / "bench", ignore_errors=True)
        shutil.copytree(ROOT / "tests" / "bench", folder / "tests" / "bench")
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))
        shutil.rmtree(folder.parent, ignore_errors=True)


def name_of(revision: str = "") -> str:
    """The short name of a commit; a plus where files have changed since."""
    name = _git("rev-parse", "--short", revision or "HEAD")
    return name if revision or not _git("status", "--porcelain", "--untracked-files=no") else f"{name}+"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
