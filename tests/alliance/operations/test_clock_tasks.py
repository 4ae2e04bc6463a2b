"""When a task of the clock is due: in its period, once a day of the clinic, after a clock that was set wrong."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from alliance.operations.clock import FIRST_PAUSE, pause_after
from alliance.operations.clock_tasks import all_tasks, daily, every
from alliance.session_store import SessionStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_what_the_clock_does_is_registered_by_the_apps():
    assert {task.name for task in all_tasks()} >= {
        "raise_missing",
        "clearsessions",
        "remove_import_files",
        "check_standings",
        "recompute_flags",
        "audit_seal",
        "audit_verify",
    }


def test_in_its_period_from_its_last_beginning():
    quarter = every(minutes=15)
    assert quarter.is_due(NOON, None, None)
    assert not quarter.is_due(NOON, NOON - timedelta(minutes=14), None)
    assert quarter.is_due(NOON, NOON - timedelta(minutes=15), None)


def test_a_machine_whose_clock_was_set_back_a_year_does_not_wait_for_a_year():
    in_a_year = NOON + timedelta(days=365)
    assert every(minutes=15).is_due(NOON, in_a_year, in_a_year)
    assert daily(at=4).is_due(NOON, in_a_year, in_a_year)


@pytest.mark.django_db
def test_a_clock_that_was_a_day_ahead_for_a_moment_signs_everybody_out_for_good(time_machine):
    """And a tablet that shows a form could not hand it in any more."""
    time_machine.move_to(NOON)
    browser = SessionStore()
    browser["device_lock"] = "held"
    browser.create()
    time_machine.move_to(NOON + timedelta(hours=26))
    call_command("clearsessions")
    time_machine.move_to(NOON)
    assert SessionStore(browser.session_key).load() == {"device_lock": "held"}
    time_machine.move_to(NOON + timedelta(days=9))
    call_command("clearsessions")
    time_machine.move_to(NOON)
    assert SessionStore(browser.session_key).load() == {}, "what ended long ago goes"


def test_daily_counts_what_was_done_and_not_what_was_begun(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    assert daily(at=4).is_due(NOON, NOON - timedelta(hours=1), NOON - timedelta(days=1))
    assert not daily(at=4).is_due(NOON, NOON - timedelta(days=1), NOON - timedelta(hours=1))
    assert daily(at=4).is_due(NOON, None, None)


ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Santiago",
    "UTC",
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 0), time(0, 30), time(1, 30), time(2, 0), time(2, 30), time(4, 0)])
def test_once_on_each_day_also_where_the_hour_is_left_out_or_comes_twice(settings, zone, at):
    """Around every change of the clocks of a year, for a clock that looks every ten minutes."""
    settings.TIME_ZONE = zone
    rhythm, local = daily(at=at.hour, minute=at.minute), ZoneInfo(zone)
    for change in changes(zone, 2026) or [datetime(2026, 3, 29, 1, tzinfo=UTC)]:
        start = change - timedelta(days=2)
        steps = [start + timedelta(minutes=10 * one) for one in range(1, 4 * 144)]
        done, days = start, []
        for now in steps:
            if rhythm.is_due(now, done, done):
                done = now
                days.append(now.astimezone(local).date())
        # What the wall says, by itself: the days on which it came to show that time, or a later one.
        reached = {now.astimezone(local).date() for now in steps if now.astimezone(local).time() >= at}
        begun = start.astimezone(local)
        expected = reached - ({begun.date()} if begun.time() >= at else set())
        assert days == sorted(days)
        assert set(days) == expected
        assert len(days) == len(set(days))


@cache
def changes(name, year):
    """The hours in which the clocks of a zone go forward or back."""
    zone, start = ZoneInfo(name), datetime(year, 1, 1, tzinfo=UTC)
    offsets = [(start + timedelta(hours=one)).astimezone(zone).utcoffset() for one in range(365 * 24)]
    return [
        start + timedelta(hours=one) for one in range(1, len(offsets)) if offsets[one] != offsets[one - 1]
    ]


def test_pauses_grow_and_differ_and_end_somewhere():
    first = {pause_after(1, longest=900) for _ in range(20)}
    assert len(first) > 1
    assert all(FIRST_PAUSE / 2 <= one <= FIRST_PAUSE for one in first)
    assert pause_after(4, longest=900) >= 20 > max(first)
    assert 450 <= pause_after(1000, longest=900) <= 900
