"""A PostgreSQL server of one's own, which may be killed; beside it what connects to it as its superuser."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

INSTALLED = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def as_server(*command: object) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return [*(["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []), *map(str, command)]


def program(name: str) -> str:
    """Of the newest version that is installed; initdb and pg_ctl are seldom on PATH."""
    found = sorted(INSTALLED.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return str(found[-1]) if found else shutil.which(name) or name


class Cluster:
    def __init__(self, folder: Path, address: str = "127.0.0.1", port: int = 0) -> None:
        self.folder, self.address, self.port = folder, address, port or free_port()
        self._pg_ctl = (program("pg_ctl"), "--pgdata", folder / "data", "--silent", "--wait")

    def make(self) -> None:
        options = ("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        self._run(program("initdb"), "--pgdata", self.folder / "data", *options)

    def copy(self, of: "Cluster") -> None:
        """A standby that follows that server."""
        where = ("--host", of.address, "--port", of.port, "--username", SUPERUSER)
        options = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        self._run(program("pg_basebackup"), *where, "--pgdata", self.folder / "data", *options)

    def promote(self) -> None:
        self._run(*self._pg_ctl, "promote")

    def start(self) -> None:
        # fsync off: what a killed server wrote, the system has all the same.
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={self.address} -c fsync=off"
        self._run(*self._pg_ctl, "--log", self.folder / "log", "--options", options, "start")

    def kill(self) -> None:
        """As a machine that loses its power."""
        subprocess.run(as_server(*self._pg_ctl, "--mode", "immediate", "stop"), check=False, cwd="/")

    @property
    def environment(self) -> dict[str, str]:
        return {"PGHOST": self.address, "PGPORT": str(self.port), "PGUSER": SUPERUSER}

    def _run(self, *command: object) -> None:
        subprocess.run(as_server(*command), check=True, capture_output=True, cwd="/")


@contextmanager
def running(standby_of: Cluster | None = None) -> Iterator[Cluster]:
    """Where it is the standby of another it has the same port, at another address of this machine."""
    folder = Path(tempfile.mkdtemp())  # not pytest's, into which the server's user may not look
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    cluster = Cluster(folder, "127.0.0.2", standby_of.port) if standby_of else Cluster(folder)
    try:
        if standby_of:
            cluster.copy(standby_of)
        else:
            cluster.make()
        cluster.start()
        yield cluster
    finally:
        cluster.kill()
        shutil.rmtree(folder, ignore_errors=True)
