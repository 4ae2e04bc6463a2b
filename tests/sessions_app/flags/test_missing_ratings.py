"""What time alone makes overdue is raised, however long the clock stood still."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from alliance.operations import clock_tasks
from alliance.operations.clock import run_task
from alliance.operations.heartbeat import ClockTask
from sessions_app.courses.models import TherapySession
from sessions_app.flags import missing_ratings
from sessions_app.flags.models import Flag
from tests import cast

DAY = timedelta(days=1)


def missed(episode, *, days_ago):
    """A course whose last two ratings are missing, and have been so for long; no flag stands yet."""
    cast.rated_course(episode, [380, None, None], last_ago=timedelta(hours=1))
    held_at = timezone.now() - days_ago * DAY
    TherapySession.objects.filter(episode=episode, number=3).update(
        held_at=held_at, ends_at=held_at + timedelta(hours=1)
    )
    Flag.objects.filter(session__episode=episode, rule="G").delete()


def last_done(ago):
    moment = timezone.now() - ago
    ClockTask.objects.update_or_create(name="raise_missing", defaults={"succeeded_at": moment})


def flagged(episode):
    return Flag.objects.filter(session__episode=episode, rule="G").exists()


def test_after_a_clock_that_was_absent_for_weeks_nothing_is_missed(clinic):
    missed(clinic.olgas, days_ago=14)
    last_done(ago=21 * DAY)
    run_task(clock_tasks.named("raise_missing"))
    assert flagged(clinic.olgas)


def test_a_clock_that_never_ran_looks_at_everything(clinic):
    missed(clinic.olgas, days_ago=14)
    run_task(clock_tasks.named("raise_missing"))
    assert flagged(clinic.olgas)


def test_control_a_look_back_of_two_days_misses_it(clinic):
    missed(clinic.olgas, days_ago=14)
    missing_ratings.raise_flags(timezone.now())
    assert not flagged(clinic.olgas)


def test_the_command_counts_as_a_run_of_the_task(clinic):
    missed(clinic.olgas, days_ago=14)
    call_command("raise_missing")
    assert flagged(clinic.olgas)
    assert ClockTask.objects.get(name="raise_missing").succeeded_at is not None


def test_one_broken_episode_keeps_no_other_back_and_is_tried_again(clinic, monkeypatch):
    for episode in (clinic.olgas, clinic.carls):
        missed(episode, days_ago=14)
    conclude_many = missing_ratings.conclude_many

    def broken(*, episodes, now):
        if clinic.olgas.pk in episodes:
            raise IntegrityError("broken")
        conclude_many(episodes=episodes, now=now)

    monkeypatch.setattr(missing_ratings, "conclude_many", broken)
    last_done(ago=21 * DAY)
    assert run_task(clock_tasks.named("raise_missing")) is False
    assert flagged(clinic.carls)
    assert not flagged(clinic.olgas)

    monkeypatch.undo()
    assert run_task(clock_tasks.named("raise_missing"))
    assert flagged(clinic.olgas), "it still looks back to when all was done"


@pytest.mark.parametrize("ahead", [timedelta(0), 365 * DAY])
def test_a_clock_that_was_wrong_by_a_year_still_looks_back_two_days(clinic, ahead):
    missed(clinic.olgas, days_ago=2)
    missing_ratings.raise_flags(timezone.now() + ahead)
    assert flagged(clinic.olgas)
