"""A PostgreSQL server of its own, which may be killed, silenced, stopped, filled up and followed by a standby."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg

NAME = "alliance"
# Durable, as PostgreSQL comes. Small files of its log, so that a small disk is enough.
INITDB = ("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--wal-segsize", "1")
OPTIONS = (
    "listen_addresses=127.0.0.1",
    "max_connections=60",
    "jit=off",
    "max_wal_size=24MB",
    "min_wal_size=2MB",
)


def tool(name: str) -> str:
    """The path of a program of PostgreSQL; empty where none is installed."""
    apart = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(apart[-1]) if apart else shutil.which(name) or ""


def is_there() -> bool:
    return bool(tool("initdb"))


def _run(name: str, *arguments: object, check: bool = True, **environment: str) -> None:
    """As the user of the server, which refuses to run as root."""
    as_server = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*as_server, tool(name), *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        check=False,
    )
    if check and done.returncode:
        raise SystemExit(f"{name}: {done.stderr.decode().strip()}")


class Cluster:
    """`folder` belongs to the user of the server; the data lie in `folder`/data."""

    def __init__(self, folder: Path, password: str = "") -> None:
        self.folder, self.data = folder, folder / "data"
        self.password = password or secrets.token_hex(16)
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")

    @property
    def url(self) -> str:
        return f"postgres://{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    def make(self) -> None:
        file = self.folder / "password"
        file.write_text(self.password)
        if os.getuid() == 0:
            shutil.chown(file, "postgres")
        _run("initdb", "--pgdata", self.data, "--username", NAME, "--pwfile", file, *INITDB)

    def make_database(self) -> None:
        with psycopg.connect(f"{self.url.removesuffix(NAME)}postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {NAME}")

    def copy_to(self, other: "Cluster") -> None:
        """Both are stopped."""
        subprocess.run(["cp", "-a", self.data, other.data], check=True)
        other.password = self.password

    def start(self, *options: str) -> None:
        chosen = " ".join(f"-c {one}" for one in (*OPTIONS, *options))
        words = f"-p {self.port} -k {self.folder} {chosen}"
        log = self.folder / "server.log"
        _run("pg_ctl", "--pgdata", self.data, "--log", log, "--wait", "--options", words, "start")

    def stop(self, how: str = "fast") -> None:
        """`fast` ends connections and writes all down; `immediate` does not even that."""
        _run("pg_ctl", "--pgdata", self.data, "--mode", how, "--wait", "stop", check=False)

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.url, autocommit=True)

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=5) as server:
                server.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    # --- What goes wrong -------------------------------------------------------------------------

    def processes(self) -> list[int]:
        with suppress(OSError, ValueError):
            main = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
            return [main, *map(int, children)]
        return []

    def kill(self) -> None:
        """Every process at once, as where the machine's memory runs out. It starts again from its log."""
        self._signal(self.processes(), signal.SIGKILL)
        until = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in self.processes()) and time.monotonic() < until:
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """It has every connection still, and says nothing any more."""
        self._signal(self.processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(self.processes(), signal.SIGCONT)

    def freeze_connections(self) -> list[int]:
        """Those of the site alone. It can still be asked, and opens others."""
        with self.connect() as server:
            rows = server.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
        frozen = [int(str(pid)) for (pid,) in rows]
        self._signal(frozen, signal.SIGSTOP)
        return frozen

    def thaw_connections(self, frozen: list[int]) -> None:
        self._signal(frozen, signal.SIGCONT)

    def _signal(self, processes: list[int], number: int) -> None:
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    # --- A standby -------------------------------------------------------------------------------

    def follow(self, other: "Cluster") -> None:
        """Become the standby of `other`, which runs."""
        self.password = other.password
        words = (
            "--pgdata",
            self.data,
            "--write-recovery-conf",
            "--wal-method",
            "stream",
            "--checkpoint",
            "fast",
        )
        where = ("--host", "127.0.0.1", "--port", other.port, "--username", NAME)
        _run("pg_basebackup", *words, *where, PGPASSWORD=other.password, PGAPPNAME="standby")
        self.start()

    def promote(self) -> None:
        _run("pg_ctl", "--pgdata", self.data, "--wait", "promote")


def children_of(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
