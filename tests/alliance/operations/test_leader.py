"""One clock leads among many: with real processes that are killed, and connections that are lost."""

import signal

import pytest
from django.db import connection

from alliance.operations.heartbeat import ClockBeat
from alliance.operations.leader import FileLock, PostgreSQLLock, lock_named
from tests.alliance.operations.processes import started, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

# A clock with a single task: to write down which process ran it.
CLOCK = """
import logging, os, sys, threading
import django
django.setup()
logging.getLogger("alliance.clock").setLevel(logging.INFO)
from alliance.management.commands.clock import use_no_pool
from alliance.operations.clock import Clock
from alliance.operations.clock_tasks import Task, every
from alliance.operations.leader import lock_named

class Nobodys:
    take = is_held = lambda self: True
    release = lambda self: None

def write(since):
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")

use_no_pool()
lock = Nobodys() if sys.argv[2] == "without" else lock_named("clock")
Clock([Task("write", every(seconds=0), write)], lock, threading.Event(), tick=0.1).run()
"""


def worked(file):
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_one_clock_leads_and_when_it_is_killed_another_takes_over(tmp_path):
    did, first_said, second_said = tmp_path / "did", tmp_path / "first", tmp_path / "second"
    with started("-c", CLOCK, did, "with", said=first_said) as first:
        wait_until(lambda: first.pid in worked(did))
        with started("-c", CLOCK, did, "with", said=second_said) as second:
            wait_until(lambda: f"process {first.pid}); this one waits" in second_said.read_text())
            before = len(worked(did))
            wait_until(lambda: len(worked(did)) >= before + 5)
            assert second.pid not in worked(did)

            first.send_signal(signal.SIGKILL)
            first.wait()
            wait_until(lambda: second.pid in worked(did))
            assert ClockBeat.objects.get().pid == second.pid


def test_control_without_the_lock_both_work(tmp_path):
    did = tmp_path / "did"
    with started("-c", CLOCK, did, "without", said=tmp_path / "first") as first:
        wait_until(lambda: first.pid in worked(did))
        with started("-c", CLOCK, did, "without", said=tmp_path / "second") as second:
            wait_until(lambda: second.pid in worked(did))
            before = worked(did).count(first.pid)
            wait_until(lambda: worked(did).count(first.pid) > before)


def terminate_others():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


def test_the_clock_survives_that_the_database_ends_all_its_connections_and_stops_at_once(tmp_path):
    said = tmp_path / "said"
    with started("manage.py", "clock", said=said) as clock:
        wait_until(lambda: ClockBeat.objects.filter(pid=clock.pid).exists())
        first = ClockBeat.objects.get()
        if connection.vendor == "postgresql":
            assert terminate_others() >= 1  # the one that holds the lock
            wait_until(lambda: ClockBeat.objects.get().leads_since > first.leads_since)
            assert "gives the lead up" in said.read_text()
        wait_until(lambda: ClockBeat.objects.get().beat_at > first.beat_at)
        assert ClockBeat.objects.get().pid == clock.pid
        clock.send_signal(signal.SIGTERM)
        assert clock.wait(timeout=10) == 0


def test_a_lock_is_held_by_one_and_free_when_it_is_released():
    one, other, another = lock_named("leader"), lock_named("leader"), lock_named("another")
    try:
        assert not one.is_held()
        assert one.take()
        assert one.is_held()
        assert not other.take()
        assert not other.is_held()
        assert another.take(), "it has a name of its own"
        one.release()
        assert not one.is_held()
        assert other.take()
    finally:
        for lock in (one, other, another):
            lock.release()


@pytest.mark.postgresql
def test_a_lost_connection_is_a_lost_lock():
    one, other = PostgreSQLLock("leader"), PostgreSQLLock("leader")
    try:
        assert one.take()
        terminate_others()
        assert not one.is_held()
        assert other.take()
        assert one.take() is False
    finally:
        one.release()
        other.release()


def test_a_deleted_lock_file_is_a_lost_lock(tmp_path):
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.take()
    assert not other.take()
    assert (tmp_path / "lock").stat().st_mode & 0o077 == 0
    (tmp_path / "lock").unlink()
    assert not one.is_held()
    assert other.take()
    other.release()


@pytest.mark.postgresql
def test_the_lock_keeps_no_snapshot_that_vacuum_would_wait_for():
    lock = PostgreSQLLock("leader")
    try:
        assert lock.take()
        assert lock.is_held()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, backend_xmin, backend_xid FROM pg_stat_activity JOIN pg_locks USING (pid)"
                " WHERE locktype = 'advisory' AND classid = %s AND objid = %s",
                [lock.OURS, lock._key],
            )
            assert cursor.fetchall() == [("idle in transaction", None, None)]
    finally:
        lock.release()
