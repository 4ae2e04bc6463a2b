"""Which session is meant, from times alone. 10:30 is now."""

from datetime import UTC, datetime, timedelta

import pytest

from alliance.measurement.overdue import not_rated_from, overdue_from
from alliance.measurement.session_times import (
    Times,
    is_on,
    most_likely,
    start_of_new,
    still_to_come,
)


def at(text):
    hours, minutes = text.split(":")
    return datetime(2026, 3, 9, int(hours), int(minutes), tzinfo=UTC)


def times(text):
    """Each as "10:00-10:50", or "10:00-10:50-09:55" where a form was given in the room at 09:55."""
    return [Times(*map(at, one.split("-"))) for one in text.split()]


NOW, LENGTH = at("10:30"), timedelta(minutes=50)


@pytest.mark.parametrize(
    ("sessions", "meant"),
    [
        ("", None),
        ("10:00-10:50", 0),
        ("09:00-09:50 10:00-10:50", 1),  # the one that is on, and not the earliest
        ("09:00-09:50 17:00-17:50", 0),
        ("17:00-17:50", None),  # still to come
        ("10:46-11:36", None),
        ("10:45-11:35", 0),  # about to begin
        ("09:30-10:20 10:45-11:35", 0),  # the one that just ended, and not the one about to begin
        ("07:00-07:50 10:45-11:35", 1),  # ended long before
        ("07:00-07:50 08:00-08:50", 1),  # of two that ended the later one
        ("10:00-11:30 10:20-11:10", 1),  # of two that are on the one that began last
        ("10:30-11:20", 0),
        ("09:40-10:30", 0),
        ("11:20-12:10-10:25", 0),  # begun early, with a form
        ("11:25-12:15-10:25", 0),  # an hour before its time, and no more
        ("11:26-12:16-10:25", None),
        ("11:20-12:10-10:31", None),  # of a form that was given later nothing is known now
        ("09:30-10:20 11:20-12:10-10:25", 0),  # the one that just ended may be meant
        ("07:00-07:50 11:20-12:10-10:25", 1),
        ("10:00-10:50 11:20-12:10-10:25", 0),  # the one that is on
    ],
)
def test_the_session_that_is_meant(sessions, meant):
    assert most_likely(times(sessions), NOW) == meant


@pytest.mark.parametrize(
    ("before", "starts"),
    [
        ("", "09:40"),
        ("08:00-08:50", "09:40"),
        ("09:00-09:50", "09:50"),  # right after the other
        ("10:00-10:50", "10:01"),  # that one ended before its time; the new one comes after it all the same
        ("10:30-11:20", "10:29"),
        ("17:00-17:50", "09:40"),
    ],
)
def test_a_new_session_comes_after_those_before_it(before, starts):
    assert start_of_new(times(before), NOW, LENGTH) == at(starts)


def test_to_come_and_on_do_not_overlap():
    for minutes in range(-90, 90):
        starts = NOW + timedelta(minutes=minutes)
        assert not (still_to_come(starts, NOW) and is_on(starts, starts + LENGTH, NOW))
        given = NOW - timedelta(minutes=20)
        assert still_to_come(starts, NOW, given) is (minutes > 40)
    assert is_on(NOW + timedelta(minutes=15), NOW + LENGTH, NOW)
    assert not is_on(NOW - LENGTH, NOW, NOW)


def test_overdue_after_a_day_and_not_rated_after_a_week():
    assert overdue_from(NOW) - NOW == timedelta(hours=24)
    assert not_rated_from(NOW) - NOW == timedelta(days=7)
