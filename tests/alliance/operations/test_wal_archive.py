"""The recipe of docs/backups.md for a clinic that wants minutes: base backup, archived write-ahead log, recovery."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from alliance.operations import databases, postgresql_tools
from tests import cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
RECIPE = Path(__file__).resolve().parents[3] / "docs" / "backups.md"
WAIT = 180  # seconds; each piece is written to the disk, which others use too
RATE = """
import django
django.setup()
from sessions_app.courses.models import TherapySession
from tests import cast
print(cast.rating(TherapySession.objects.filter(ratings=None).order_by("pk").first()).code)
"""


class Cluster:
    """One PostgreSQL server with a data directory of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.data, self.log = folder / name, folder / f"{name}.log"
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> None:
        options = f"-p {self.port} -k {self.data.parent} -c listen_addresses=127.0.0.1"
        tool(
            "pg_ctl",
            "--pgdata",
            self.data,
            "--log",
            self.log,
            "--wait",
            "--silent",
            "--options",
            options,
            "start",
        )

    def end(self, how: str) -> None:
        subprocess.run(
            as_server([path_of("pg_ctl"), "--pgdata", self.data, "--mode", how, "--silent", "stop"]),
            check=False,
        )

    def connect(self) -> "psycopg.Connection":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="alliance", dbname="alliance", autocommit=True
        )

    @property
    def url(self) -> str:
        return f"postgres://alliance@127.0.0.1:{self.port}/alliance"

    def configure(self, **chosen: str) -> None:
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())


def path_of(name: str) -> str:
    """Of the same version as the server of the tests; initdb and pg_ctl are seldom on PATH."""
    dump = Path(postgresql_tools.tool("pg_dump", databases.of_the_site().major()))
    found = sorted(postgresql_tools.APART.glob(f"*/bin/{name}"))
    beside = dump.with_name(name)
    return str(found[-1] if found else beside)


def as_server(command: list[object]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return [*(["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []), *map(str, command)]


def tool(name: str, *arguments: object) -> None:
    subprocess.run(as_server([path_of(name), *arguments]), check=True, capture_output=True, cwd="/")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp())  # not pytest's, into which the server's user may not look
    if os.getuid() == 0:
        shutil.chown(made, "postgres")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def live(folder) -> Iterator[Cluster]:
    """The clinic's server, with the settings of the recipe; its archive in `folder`/archive."""
    cluster = Cluster(folder, "live")
    tool(
        "initdb",
        "--pgdata",
        cluster.data,
        "--username",
        "alliance",
        "--auth",
        "trust",
        "--encoding",
        "UTF8",
        "--no-sync",
    )
    subprocess.run(as_server(["mkdir", "--mode=700", folder / "archive"]), check=True)
    cluster.configure(**settings_of_the_recipe(folder))
    cluster.start()
    tool("createdb", "--host=127.0.0.1", f"--port={cluster.port}", "--username=alliance", "alliance")
    yield cluster
    cluster.end("immediate")


@pytest.fixture
def recovered(folder) -> Iterator[Cluster]:
    """A second server, whose data directory is yet to be made."""
    cluster = Cluster(folder, "recovered")
    yield cluster
    cluster.end("immediate")


def of_the_recipe(name: str) -> str:
    """The value of a setting as the guide writes it."""
    (value,) = re.findall(rf"^{name} = '?(.*?)'?$", RECIPE.read_text("utf-8"), re.MULTILINE)
    return value


def settings_of_the_recipe(folder: Path) -> dict[str, str]:
    command = of_the_recipe("archive_command").replace("/archive/", f"{folder}/archive/")
    assert of_the_recipe("archive_mode") == "on"
    assert of_the_recipe("archive_timeout") == "60"
    # A second instead of a minute: the test waits for it.
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": "1"}


def fill(cluster: Cluster) -> None:
    """What the database of the tests holds."""
    site = databases.of_the_site()
    dump, restore = path_of("pg_dump"), path_of("pg_restore")
    into = [
        restore,
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--host=127.0.0.1",
        f"--port={cluster.port}",
    ]
    with subprocess.Popen(
        [dump, "--format=custom"], stdout=subprocess.PIPE, env=postgresql_tools.environment(site.connecting)
    ) as dumping:
        subprocess.run([*into, "--username=alliance", "--dbname=alliance"], stdin=dumping.stdout, check=True)


def rate(cluster: Cluster) -> str:
    """Somebody rates; the code of the rating, when the site has acknowledged it."""
    around = {**os.environ, "DATABASE_URL": cluster.url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", RATE],
        env=around,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def archived(cluster: Cluster) -> None:
    """As long as `archive_timeout` at most: what was written until now lies in the archive."""
    with cluster.connect() as connected:
        (name,) = connected.execute("SELECT pg_walfile_name(pg_current_wal_insert_lsn())").fetchone()
        until = time.monotonic() + WAIT
        while time.monotonic() < until:
            (last,) = connected.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
            if last and len(last) == len(name) and last >= name:
                return
            time.sleep(0.2)
    pytest.fail(f"{name} was not archived: {cluster.log.read_text()[-2000:]}")


def ratings(cluster: Cluster) -> set[str]:
    with cluster.connect() as connected:
        return {str(code) for (code,) in connected.execute("SELECT code FROM sessions_app_rating").fetchall()}


def test_a_rating_acknowledged_before_the_fault_is_there_after_recovery_and_the_mistake_after_it_is_not(
    clinic, folder, live, recovered
):
    cast.rated_course(clinic.olgas, [380, None, None, None])
    fill(live)
    (base,) = re.findall(r"pg_basebackup (.*)", RECIPE.read_text("utf-8"))
    pace = [one for one in shlex.split(base) if one.startswith(("--checkpoint", "--wal-method"))]
    assert pace == ["--wal-method=stream", "--checkpoint=fast"]
    where = [f"--port={live.port}", "--host=127.0.0.1", "--username=alliance"]
    tool("pg_basebackup", *where, "--pgdata", recovered.data, *pace)

    of_after_the_base_backup = {rate(live), rate(live)}
    with live.connect() as connected:
        (moment,) = connected.execute("SELECT clock_timestamp()::text").fetchone()
    time.sleep(0.1)
    after_the_moment = rate(live)
    archived(live)
    before = ratings(live)
    assert of_after_the_base_backup | {after_the_moment} < before
    # The machine is gone: the server dies, and its data directory with it.
    live.end("immediate")
    shutil.rmtree(live.data)

    fetching = of_the_recipe("restore_command").replace("/archive/", f"{folder}/archive/")
    recovered.configure(
        restore_command=fetching,
        recovery_target_time=moment,
        recovery_target_action=of_the_recipe("recovery_target_action"),
    )
    subprocess.run(as_server(["touch", recovered.data / "recovery.signal"]), check=True)
    recovered.start()
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        with recovered.connect() as connected:
            if not connected.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
                break
        time.sleep(0.2)
    assert ratings(recovered) == before - {after_the_moment}
    # It goes on: the next rating is taken there.
    assert rate(recovered) in ratings(recovered)
