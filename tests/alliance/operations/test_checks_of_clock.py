"""What *Health* says of the clock, and what to do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.operations import heartbeat
from alliance.operations.checks_of_clock import clock
from alliance.operations.findings import State
from alliance.operations.heartbeat import ClockTask

pytestmark = pytest.mark.django_db


def found(key="clock"):
    return {finding.key: finding for finding in clock()}.get(key)


def beat(ago):
    now = timezone.now()
    heartbeat.beat(host="server-1", pid=17, leads_since=now)
    heartbeat.ClockBeat.objects.update(beat_at=now - ago)


def test_a_clock_that_never_ran_is_told_with_what_to_do():
    assert found().state == State.FAILED
    assert "has never run" in found().sentence
    assert "docker compose up --detach clock" in found().to_do


def test_in_the_demo_no_clock_runs_and_nothing_is_red(settings):
    settings.DEMO = True
    assert (found().state, "no clock runs in it" in found().sentence) == (State.OK, True)
    beat(timedelta(hours=3))
    assert found().state == State.FAILED, "where one ran, it is missed there too"


@pytest.mark.parametrize(
    ("ago", "state", "words"),
    [
        (timedelta(seconds=20), State.OK, "is alive"),
        (timedelta(minutes=4, seconds=50), State.OK, "is alive"),
        (timedelta(minutes=6), State.WARNING, "for 6 minutes (last: server-1, process 17)"),
        (timedelta(hours=3), State.FAILED, "for 3 hours"),
        (timedelta(days=21), State.FAILED, "for 21 days"),
    ],
)
def test_a_clock_that_stays_away_is_seen(ago, state, words):
    beat(ago)
    assert found().state == state
    assert words in found().sentence
    assert bool(found().to_do) is (state != State.OK)


def test_tasks_that_fail_find_something_or_are_late_are_told():
    beat(timedelta(seconds=5))
    now = timezone.now()
    assert found("clock tasks").state == State.OK

    fails = ClockTask.objects.create(name="audit_seal", started_at=now, ended_at=now, failures=2, error="No.")
    assert found("clock audit_seal") is None, "once or twice passes by itself"
    fails.failures = 3
    fails.save()
    assert found("clock audit_seal").state == State.WARNING
    assert "has failed 3 times in a row. No." in found("clock audit_seal").sentence
    assert found("clock tasks") is None

    ClockTask.objects.create(
        name="audit_verify", started_at=now, ended_at=now, succeeded_at=now, error="Line 7 was changed."
    )
    assert found("clock audit_verify").state == State.FAILED
    assert "Line 7 was changed." in found("clock audit_verify").sentence

    late = now - timedelta(hours=2)
    ClockTask.objects.create(name="raise_missing", started_at=late, ended_at=late, succeeded_at=late)
    assert "was last done 2 hours ago" in found("clock raise_missing").sentence
