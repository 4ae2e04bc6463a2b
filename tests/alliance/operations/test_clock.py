"""The clock's loop: one fault ends nothing, one task keeps no other waiting, what was missed is done."""

import threading
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import OperationalError
from django.utils import timezone

from alliance.operations import clock, clock_tasks, heartbeat
from alliance.operations.clock import Clock, Hanging, run_task
from alliance.operations.clock_tasks import Found, Task, daily, every
from alliance.operations.heartbeat import ClockBeat, ClockTask

pytestmark = pytest.mark.django_db(transaction=True)


class Held:
    """A lock that nobody else wants."""

    def __init__(self):
        self.taken = 0

    def take(self):
        self.taken += 1
        return True

    def is_held(self):
        return True

    def release(self):
        pass


@pytest.fixture
def running(monkeypatch):
    """Start a clock in a thread of its own; what ended it is in `.fault`."""
    monkeypatch.setattr(clock, "FIRST_PAUSE", 0.1)
    stops, threads = [], []

    def start(*tasks, lock=None):
        stop = threading.Event()
        one = Clock(tasks, lock or Held(), stop, tick=0.02)
        one.fault = None

        def run():
            try:
                one.run()
            except Exception as error:
                one.fault = error
            finally:
                clock._close_connections()

        thread = threading.Thread(target=run)
        thread.start()
        stops.append(stop)
        threads.append((thread, one))
        return one

    yield start
    for stop in stops:
        stop.set()
    for thread, one in threads:
        thread.join(30)
        wait_until(lambda one=one: not one.is_busy())


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def counted(name="quick", rhythm=None, fails=0, error=RuntimeError):
    """A task and the list of what it was given; it fails so often at first."""
    calls = []

    def work(since):
        calls.append(since)
        if len(calls) <= fails:
            raise error("K-1 must not be read by administrators")

    return Task(name, rhythm or every(seconds=0), work), calls


def one_fault(monkeypatch):
    """The database fails once, while the clock says that it lives."""
    beat, faults = heartbeat.beat, []

    def failing_once(**values):
        if not faults:
            faults.append(1)
            raise OperationalError("server closed the connection unexpectedly")
        beat(**values)

    monkeypatch.setattr(heartbeat, "beat", failing_once)
    return faults


def test_the_clock_survives_one_database_fault_and_leads_again(running, monkeypatch):
    faults = one_fault(monkeypatch)
    quick, calls = counted()
    lock = Held()
    one = running(quick, lock=lock)
    wait_until(lambda: len(calls) >= 3)
    assert faults
    assert one.fault is None
    assert lock.taken == 2, "it gave the lead up, for it could not know whether it still had it"


def test_control_without_the_guard_one_database_fault_ends_it(running, monkeypatch):
    monkeypatch.setattr(clock, "DatabaseFault", ZeroDivisionError)
    one_fault(monkeypatch)
    quick, calls = counted()
    one = running(quick)
    wait_until(lambda: one.fault is not None)
    assert isinstance(one.fault, OperationalError)
    assert not calls


def test_a_task_that_fails_or_takes_long_keeps_no_other_waiting(running):
    may_end = threading.Event()
    long = Task("long", every(seconds=0), lambda since: may_end.wait(30) and None)
    failing, failures = counted("failing", fails=10**6)
    quick, calls = counted()
    running(long, failing, quick)
    try:
        wait_until(lambda: len(calls) >= 5 and len(failures) >= 2)
        assert ClockTask.objects.get(name="long").is_unfinished
    finally:
        may_end.set()


def test_a_task_that_failed_is_tried_again_before_its_period_is_over(running):
    failing, calls = counted("failing", rhythm=daily(at=4), fails=2)
    running(failing)
    wait_until(lambda: len(calls) >= 3)
    wait_until(lambda: ClockTask.objects.get(name="failing").succeeded_at)
    row = ClockTask.objects.get(name="failing")
    assert (row.failures, row.error) == (0, "")


def test_what_it_failed_at_is_told_without_the_words_of_the_error():
    failing, _ = counted("failing", fails=1)
    assert run_task(failing) is False
    row = ClockTask.objects.get(name="failing")
    assert row.failures == 1
    assert row.error.startswith("RuntimeError in tests/alliance/operations/test_clock.py, line ")
    assert "K-1" not in row.error

    ours, _ = counted("ours", fails=1, error=CommandError)
    run_task(ours)
    assert ClockTask.objects.get(name="ours").error == "K-1 must not be read by administrators"


def test_what_a_task_found_is_told_and_the_task_not_repeated(running):
    calls = []

    def work(since):
        calls.append(since)
        raise Found("The access log is not as it was sealed.")

    quick, quicks = counted()
    running(Task("found", daily(at=4), work), quick)
    wait_until(lambda: len(quicks) >= 10)
    assert len(calls) == 1
    row = ClockTask.objects.get(name="found")
    assert (row.failures, row.error) == (0, "The access log is not as it was sealed.")


def test_a_task_is_given_when_it_last_succeeded():
    task, calls = counted(fails=0)
    run_task(task)
    began = ClockTask.objects.get(name=task.name).succeeded_at
    run_task(task)
    assert calls == [None, began]
    assert began <= ClockTask.objects.get(name=task.name).started_at


def test_a_task_that_took_the_process_down_is_not_begun_again_at_once(running, monkeypatch):
    monkeypatch.setattr(clock, "FIRST_PAUSE", 3600)
    began = timezone.now() - timedelta(minutes=1)
    ClockTask.objects.create(name="deadly", started_at=began)
    deadly, calls = counted("deadly", rhythm=daily(at=4))
    quick, quicks = counted()
    running(deadly, quick)
    wait_until(lambda: len(quicks) >= 5)
    assert calls == []
    row = ClockTask.objects.get(name="deadly")
    assert (row.failures, row.error) == (1, "The clock ended while this ran.")


def test_a_task_that_hangs_ends_the_process_for_a_supervisor_to_start_it_anew(running):
    may_end = threading.Event()
    hanging = Task(
        "hanging", daily(at=4), lambda since: may_end.wait(30) and None, longest=timedelta(seconds=0.2)
    )
    one = running(hanging)
    try:
        wait_until(lambda: one.fault is not None)
        assert isinstance(one.fault, Hanging)
        assert ClockTask.objects.get(name="hanging").failures == 1
    finally:
        may_end.set()


def test_it_says_that_it_lives_and_who_it_is(running):
    assert heartbeat.last_beat() is None
    running()
    wait_until(lambda: ClockBeat.objects.exists())
    first = heartbeat.last_beat().beat_at
    wait_until(lambda: heartbeat.last_beat().beat_at > first)
    assert ClockBeat.objects.count() == 1


def test_it_waits_until_the_database_is_up_to_date(running, monkeypatch):
    waiting = [True]
    monkeypatch.setattr(clock, "waits_for_migration", lambda: bool(waiting))
    quick, calls = counted()
    lock = Held()
    running(quick, lock=lock)
    threading.Event().wait(0.2)
    assert not calls
    assert not lock.taken
    waiting.clear()
    wait_until(lambda: calls)


def test_every_task_of_the_site_does_its_work():
    for task in clock_tasks.all_tasks():
        assert run_task(task), ClockTask.objects.get(name=task.name).error
