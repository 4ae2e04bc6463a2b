"""One fault on one engine: a site of its own, what arrives while the fault strikes, and what became of it."""

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos import census, tickets
from tests.chaos.census import Counts, Row
from tests.chaos.cluster import Cluster
from tests.chaos.devices import Load, Told
from tests.chaos.servers import ROOT, Process, Web, environment
from tests.chaos.tickets import Ticket

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
RATINGS, REGISTRATIONS = 360, 60  # tickets of a run, of which it uses as many as come while it lasts
A_SECOND = 8.0
BEFORE, AFTER = 2.0, 4.0  # seconds of load around the fault
DRAIN = 60.0


class Site:
    """A filled database in a folder, and whatever is started on it."""

    def __init__(self, engine: str, folder: Path, secret_key: str) -> None:
        self.engine, self.folder, self.secret_key = engine, folder, secret_key
        self.cluster = Cluster(folder / "cluster") if engine == POSTGRESQL else None
        self.file = folder / "site.sqlite3"
        self.root = ROOT  # where its code lies

    @property
    def url(self) -> str:
        return self.cluster.url if self.cluster else f"sqlite:///{self.file}"

    @property
    def server(self) -> Cluster:
        """Of PostgreSQL."""
        assert self.cluster is not None
        return self.cluster

    def python(self, *words: str, given: str = "", url: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.root,
            env=environment(url or self.url, self.secret_key, root=self.root),
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stderr[-2000:]}")
        return done.stdout

    def tickets(self, ratings: int, registrations: int) -> list[Ticket]:
        said = self.python("tests.chaos.in_site", "tickets", str(ratings), str(registrations))
        return tickets.read(json.loads(said))

    def migrate(self) -> None:
        self.python("django", "migrate", "--verbosity", "0")


@dataclass
class Template:
    """What every run of an engine begins with: a database that was filled once, and the tickets that it holds."""

    site: Site
    tickets: list[Ticket]


@dataclass
class Scene:
    """What a fault may touch. `url`: where the site finds its database. `problems`: what the fault itself noticed."""

    site: Site
    tickets: list[Ticket]
    settings: dict[str, str] = field(default_factory=dict)
    url: str = ""
    replicas: int = 1
    problems: list[str] = field(default_factory=list)
    webs: list[Web] = field(default_factory=list)
    clocks: list[Process] = field(default_factory=list)
    at_the_end: list[Any] = field(default_factory=list)
    when_all_ended: list[Any] = field(default_factory=list)
    standby: Cluster | None = None
    disk: Path | None = None  # a small one

    @property
    def web(self) -> Web:
        return self.webs[0]

    def environment(self) -> dict[str, str]:
        return environment(
            self.url or self.site.url, self.site.secret_key, root=self.site.root, **self.settings
        )

    def serve(self) -> None:
        for place in range(self.replicas):
            self.webs.append(Web(self.environment(), self.site.folder / f"web-{place}.log"))
        for web in self.webs:
            web.wait_until_ready()

    def start_clock(self, seconds_off: float = 0) -> Process:
        command = [sys.executable, "-m", "tests.chaos.in_site", "clock", str(seconds_off)]
        said = self.site.folder / f"clock-{len(self.clocks)}.log"
        self.clocks.append(Process(command, said, self.environment()))
        return self.clocks[-1]

    def notice(self, is_wrong: object, sentence: str) -> None:
        if is_wrong:
            self.problems.append(sentence)

    def end(self) -> None:
        for one in [*self.clocks, *self.webs]:
            if not one.has_ended():
                one.end()
        for undo in reversed(self.at_the_end):
            with suppress(Exception):
                undo()
        if self.site.cluster:
            self.site.cluster.thaw()
            self.site.cluster.stop("immediate")
        for undo in self.when_all_ended:
            undo()


@dataclass
class Result:
    fault: str
    engine: str
    counts: Counts
    failed: int
    longest: float
    seconds: float
    problems: list[str]

    @property
    def is_clean(self) -> bool:
        return not self.problems and not any(self.counts.faults().values())


def told_of(scene: Scene, load: Load) -> tuple[list[tuple[Ticket, Told]], Counts]:
    """Everything is put right: the rest is delivered, and the database asked."""
    handed_in = load.end(DRAIN)
    given = json.dumps([vars(ticket) for ticket, _ in handed_in])
    said = scene.site.python("tests.chaos.in_site", "census", given=given, url=scene.url)
    rows = {name: Row(**row) for name, row in json.loads(said).items()}
    return handed_in, census.judged(handed_in, rows)


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    """Which the user of PostgreSQL's server may enter."""
    made = Path(tempfile.mkdtemp(prefix="chaos-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def template(engine: str, folder: Path) -> Template:
    site = Site(engine, folder, secrets.token_urlsafe(64))
    try:
        if site.cluster:
            site.cluster.make()
            site.cluster.start("fsync=off")
            site.cluster.make_database()
        site.migrate()
        return Template(site, site.tickets(RATINGS, REGISTRATIONS))
    finally:
        if site.cluster:
            site.cluster.stop()


def copy(of: Template, site: Site, *, at: Path | None = None) -> None:
    """The same database for another site; `at`: where its data are to lie."""
    if site.cluster:
        if at:
            site.cluster = Cluster(at / "cluster")
        of.site.server.copy_to(site.server)
    else:
        if at:
            site.file = at / "site.sqlite3"
        shutil.copy(of.site.file, site.file)
