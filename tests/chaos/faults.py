"""What can go wrong with the servers, as a table. A fault strikes, lasts, and puts the world right again."""

import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from tests.chaos import cluster, releases, small_disk
from tests.chaos.cluster import Cluster
from tests.chaos.scene import POSTGRESQL, SQLITE, Scene, Template, copy
from tests.chaos.servers import ROOT, START, Web

BOTH, ON_POSTGRESQL = (SQLITE, POSTGRESQL), (POSTGRESQL,)
AFTER_A_KILLED_WORKER = 5.0  # seconds that no request may wait for longer
LOCKED = 25.0
AHEAD = 26 * 3600.0  # seconds: everything that is done once a day is due
Strike = Callable[[Scene], None]
Build = Callable[[Scene, Template], None]


def as_usual(scene: Scene, of: Template) -> None:
    copy(of, scene.site)
    if scene.site.cluster:
        scene.site.cluster.start()


@dataclass(frozen=True)
class Fault:
    name: str
    strike: Strike
    engines: tuple[str, ...] = BOTH
    build: Build = as_usual
    settings: dict[str, str] = field(default_factory=dict)
    replicas: int = 1
    longest: float | None = None  # seconds that a request may wait
    lacking: Callable[[], str] = lambda: ""  # what this machine has not, as a sentence


# --- The web server ------------------------------------------------------------------------------


def _workers_one_by_one(scene: Scene) -> None:
    for place in range(3):
        scene.web.kill_worker(place)
        time.sleep(7)
    scene.notice(len(scene.web.workers()) < 2, "A worker was not replaced.")


def _worker_and_its_successor(scene: Scene) -> None:
    """Within 5.5 seconds: granian then ends all the others."""
    scene.web.kill_worker()
    time.sleep(0.5)
    scene.web.kill_worker(-1)
    time.sleep(1.5)
    scene.web.kill_worker(-1)
    time.sleep(8)
    scene.notice(scene.web.has_ended(), "The web server ended, and nobody started it anew.")


def _web_server(scene: Scene) -> None:
    for granian in cluster.children_of(scene.web.pid):
        os.kill(granian, signal.SIGKILL)
    time.sleep(8)
    scene.notice(scene.web.has_ended(), "The supervisor of the web server ended too.")


def _rolling_restart(scene: Scene) -> None:
    for web in scene.webs:
        status = web.end()
        scene.notice(status != 0, f"A web server that was told to stop ended with {status}.")
        time.sleep(1)
        web.start_again()
        web.wait_until_ready()


# --- The database --------------------------------------------------------------------------------


def _database_killed(scene: Scene) -> None:
    clock = scene.start_clock()
    for _ in range(3):
        time.sleep(2)
        scene.site.server.kill()
        time.sleep(1.5)
        scene.site.server.start()
    time.sleep(2)
    scene.notice(clock.has_ended(), "The clock ended with the database.")


def _database_stopped(scene: Scene) -> None:
    clock = scene.start_clock()
    time.sleep(2)
    scene.site.server.stop("fast")
    time.sleep(8)
    scene.site.server.start()
    time.sleep(2)
    scene.notice(clock.has_ended(), "The clock ended with the database.")


def _database_silent(scene: Scene) -> None:
    scene.site.server.freeze()
    try:
        began = time.monotonic()
        scene.notice(scene.web.is_ready(), "/readyz says ready while the database is silent.")
        scene.notice(time.monotonic() - began > 4, "/readyz took more than four seconds to say so.")
        time.sleep(12)
    finally:
        scene.site.server.thaw()


def _pool_taken(scene: Scene) -> None:
    """Every connection of the site waits for an answer that does not come, until those who wait for one give up."""
    until, frozen = time.monotonic() + 14, set[int]()
    try:
        while time.monotonic() < until:
            frozen.update(scene.site.server.freeze_connections())
            time.sleep(0.5)
    finally:
        scene.site.server.thaw_connections(list(frozen))


def _table_locked(scene: Scene) -> None:
    if scene.site.cluster:
        with scene.site.cluster.connect() as other, other.transaction():
            other.execute("LOCK TABLE sessions_app_rating IN ACCESS EXCLUSIVE MODE")
            time.sleep(LOCKED)
        return
    with closing(sqlite3.connect(scene.site.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(LOCKED)
        other.execute("ROLLBACK")


def _followed(scene: Scene, of: Template) -> None:
    """A primary that acknowledges what its standby has too, and a site that knows both."""
    site = scene.site
    copy(of, site)
    # On the command line: the standby copies the files of settings, and must not wait for one of its own.
    site.server.start("synchronous_standby_names=*")
    scene.standby = standby = Cluster(site.folder / "standby")
    scene.at_the_end.append(lambda: standby.stop("immediate"))
    standby.follow(site.server)
    hosts = f"127.0.0.1:{site.server.port},127.0.0.1:{standby.port}"
    scene.url = re.sub(r"127\.0\.0\.1:\d+", hosts, site.url) + "?target_session_attrs=read-write"


def _fail_over(scene: Scene) -> None:
    assert scene.standby is not None
    clock = scene.start_clock()
    time.sleep(2)
    scene.site.server.kill()
    time.sleep(3)  # somebody, or a tool, has to notice
    scene.standby.promote()
    time.sleep(6)
    scene.notice(clock.has_ended(), "The clock ended with the old primary.")


# --- The disk ------------------------------------------------------------------------------------


def _on_a_small_disk(scene: Scene, of: Template) -> None:
    scene.disk = disk = small_disk.made(scene.site.folder / "small", small_disk.needed(of.site))
    scene.when_all_ended.append(lambda: small_disk.removed(disk))
    copy(of, scene.site, at=disk)
    if scene.site.cluster:
        scene.site.cluster.start()


def _disk_full(scene: Scene) -> None:
    assert scene.disk is not None
    ballast = small_disk.fill(scene.disk)
    time.sleep(6)
    if not scene.site.cluster:
        scene.notice(scene.web.is_ready(), "/readyz says ready while the disk of the database is full.")
    time.sleep(2)
    ballast.unlink()
    if scene.site.cluster and not scene.site.cluster.answers():
        scene.site.cluster.stop("immediate")
        scene.site.cluster.start()  # as its supervisor would
    time.sleep(2)


# --- Time, and starts ------------------------------------------------------------------------------


def _clock_jumps(scene: Scene) -> None:
    """A clock a day ahead, then one a day behind, then one that is right: each leads for a while, and is killed."""
    for seconds_off in (AHEAD, -AHEAD, 0.0):
        clock = scene.start_clock(seconds_off)
        time.sleep(8)
        scene.notice(clock.has_ended(), f"The clock that is {seconds_off:.0f} s off ended.")
        scene.notice(
            "The clock leads" not in clock.said.read_text(), "A clock that was there alone did not lead."
        )
        if seconds_off:
            clock.end()


def _empty(scene: Scene, of: Template) -> None:
    """Three that start at once on an empty database; tickets are made once they are there."""
    site = scene.site
    if site.cluster:
        site.cluster.make()
        site.cluster.start()
        site.cluster.make_database()
    for place in range(3):
        said = site.folder / f"web-{place}.log"
        scene.webs.append(Web(scene.environment(), said, workers=1, command=START))
    for web in scene.webs:
        web.wait_until_ready(240)
    scene.tickets = site.tickets(60, 10)


def _nothing_more(scene: Scene) -> None:
    time.sleep(4)
    for web in scene.webs:
        scene.notice("Traceback" in web.said.read_text(), "One of three starts said a traceback.")
        scene.notice(web.has_ended(), "One of three starts has ended.")


def _of_the_release_before(scene: Scene, of: Template) -> None:
    """Its database, its tickets, its servers."""
    site = scene.site
    site.root = releases.unpack(releases.before(), site.folder / "before")
    site.server.make()
    site.server.start()
    site.server.make_database()
    site.migrate()
    scene.tickets = site.tickets(240, 40)


def _rolling_upgrade(scene: Scene) -> None:
    """The database first, under the old servers; then one server after the other; one goes back, and forward again."""
    before, site = scene.site.root, scene.site
    site.root = ROOT
    site.migrate()
    time.sleep(2)
    first, second = scene.webs
    for web in scene.webs:
        runs = os.readlink(f"/proc/{web.pid}/cwd")
        scene.notice(runs != str(before), f"A server of the release before runs in {runs}.")
    for web, root in ((first, ROOT), (second, ROOT), (first, before), (first, ROOT)):
        status = web.end()
        scene.notice(status != 0, f"A web server that was told to stop ended with {status}.")
        web.start_again(root)
        web.wait_until_ready()
        time.sleep(2)


FAULTS = (
    Fault("worker killed", _workers_one_by_one, longest=AFTER_A_KILLED_WORKER),
    # All workers are gone then: whoever waits, waits until they have started, which takes as long as the machine needs.
    Fault("worker killed twice", _worker_and_its_successor),
    Fault("web server killed", _web_server),
    Fault("rolling restart", _rolling_restart, replicas=2),
    Fault("database killed", _database_killed, ON_POSTGRESQL),
    Fault("database stopped", _database_stopped, ON_POSTGRESQL),
    Fault("database silent", _database_silent, ON_POSTGRESQL),
    Fault("fail-over", _fail_over, ON_POSTGRESQL, build=_followed),
    Fault("disk full", _disk_full, build=_on_a_small_disk, lacking=small_disk.lacking),
    Fault("pool taken", _pool_taken, ON_POSTGRESQL, settings={"DATABASE_POOL": "2"}),
    Fault("table locked", _table_locked),
    Fault("clock jumps", _clock_jumps),
    Fault("three start at once", _nothing_more, build=_empty),
    Fault(
        "rolling upgrade",
        _rolling_upgrade,
        ON_POSTGRESQL,
        build=_of_the_release_before,
        replicas=2,
        lacking=releases.lacking,
    ),
)


def named(name: str) -> list[Fault]:
    """All where the name is empty. Raises SystemExit for a wrong one."""
    found = [fault for fault in FAULTS if not name or fault.name == name]
    if not found:
        raise SystemExit(f"Not known: {name}. There are: {', '.join(fault.name for fault in FAULTS)}.")
    return found
