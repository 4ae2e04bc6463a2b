"""Runs parts of the plan side by side, each in a process of its own, and begins one again that no longer goes on.

A browser that is driven through many closed tabs may answer no more (`world.TO_A_BROWSER`). That says nothing
about a rating: the run is begun once more, and counts as broken only if it hangs again.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# What must end in zeros; `judge.Verdict` says what each of them means.
COUNTS = ("lost", "doubled", "altered", "strange", "unnoticed", "stuck", "broken")
PATIENCE = 90  # seconds for one run; the slowest takes 20 on two busy cores
EVERY = 0.2


class Part:
    """Every so-manieth run, written to `file` a line each as it ends."""

    def __init__(self, asked: Sequence[str], name: str, folder: Path) -> None:
        self.file = folder / f"{name.partition('/')[0]}.jsonl"
        self.file.touch()
        self._asked, self._name, self._folder = asked, name, folder
        self._stopped_at = -1
        self._process, self._size, self._seen = self._started()

    @property
    def results(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]

    def goes_on(self) -> bool:
        """False once it has ended by itself. Raises SystemExit where the same run stopped it twice."""
        ended = self._process.poll()
        if ended == 0:
            return False
        if ended is not None:
            self._again("broke off")
        elif (size := self.file.stat().st_size) != self._size:
            self._size, self._seen = size, time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE:
            self._again("hung")
        return True

    def end(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _started(self) -> tuple[subprocess.Popen[bytes], int, float]:
        environ = dict(os.environ)
        if "THROW_AWAY_DATABASE" not in environ:
            environ["DATABASE_URL"] = f"sqlite:///{self.file}-{time.monotonic_ns()}.sqlite3"
        words = [
            *self._asked,
            "--part",
            self._name,
            "--skip",
            str(len(self.results)),
            "--json",
            str(self.file),
        ]
        command = [sys.executable, "-m", "tests.torture", *words]
        process = subprocess.Popen(command, env=environ, start_new_session=True)
        return process, self.file.stat().st_size, time.monotonic()

    def _again(self, why: str) -> None:
        done = len(self.results)
        print(f"Part {self._name} {why} after {done} runs and is started again.", flush=True)
        self.end()
        if done == self._stopped_at:
            raise SystemExit(
                "The same run stopped it twice. It proves nothing; look at it by --fault and --moment."
            )
        self._stopped_at = done
        self._process, self._size, self._seen = self._started()


def in_parts(asked: Sequence[str], jobs: int, folder: Path) -> list[dict[str, Any]]:
    parts = [Part(asked, f"{place}/{jobs}", folder) for place in range(jobs)]
    try:
        while going := [part for part in parts if part.goes_on()]:
            time.sleep(EVERY / len(going))
    finally:
        for part in parts:  # where one broke off, the others would go on without anybody who reads them
            part.end()
    return [result for part in parts for result in part.results]
