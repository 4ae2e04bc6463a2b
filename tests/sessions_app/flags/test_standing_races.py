"""Two writes about one episode at once leave the standing, and the counts, of both together."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses.models import Attendance
from sessions_app.flags import checks, conclude, standing
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.process_days import ProcessDay
from sessions_app.intake import hand_over_actions, session_actions
from tests import cast
from tests.sessions_app.intake.test_races import at_once, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


def differences():
    episodes = list(Episode.objects.values_list("pk", flat=True))
    return [*checks.differing(episodes), *checks.differing_days()]


def grants(clinic, many):
    found = []
    for number in range(many):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(days=20 - number))
        found.append(hand_over_actions.hand_over(session=session, by=clinic.olga)[0])
    return found


def test_ratings_and_sessions_at_once_leave_what_a_fresh_conclusion_says(clinic):
    for place in range(ROUNDS):
        two = grants(clinic, 2)
        added = timezone.now() - timedelta(days=40 + place)
        adding = lambda held_at=added: session_actions.add_session(  # noqa: E731
            episode=clinic.olgas, held_at=held_at, attendance=Attendance.ATTENDED, by=clinic.olga
        )
        outcomes = at_once(*(handing_in(grant, 340 + place) for grant in two), adding)
        assert unexpected(outcomes) == []
        assert differences() == []


def test_two_episodes_of_one_therapist_add_to_the_same_day(clinic):
    """Each transaction reads no count: it adds to it. Two that add at once both count."""
    other = cast.episode(clinic.olga, "K-8")
    sessions = [cast.therapy_session(of, ago=timedelta(days=9)) for of in (clinic.olgas, other)]
    out = [hand_over_actions.hand_over(session=session, by=clinic.olga)[0] for session in sessions]
    assert unexpected(at_once(*(handing_in(grant, 380) for grant in out))) == []
    assert sum(ProcessDay.objects.values_list("rated", flat=True)) == 2
    assert differences() == []


def test_a_batch_and_a_rating_wait_in_one_order(clinic):
    """A batch that took the standing before the episode made the arriving rating the victim of a deadlock."""
    cast.rated_course(clinic.olgas, [380, 330])
    holds, batch_waits = threading.Event(), threading.Event()

    def action():
        with transaction.atomic():
            lock_episode(clinic.olgas.pk)
            holds.set()
            batch_waits.wait(timeout=1)  # on SQLite the batch begins when this is over
            conclude.conclude(episode=clinic.olgas)

    def batch():
        holds.wait(timeout=20)
        threading.Timer(0.5, batch_waits.set).start()
        conclude.conclude_many(episodes=[clinic.olgas.pk])

    for _ in range(2):
        holds.clear()
        batch_waits.clear()
        assert unexpected(at_once(action, batch)) == []


def test_two_writes_on_an_episode_without_a_standing_count_once(clinic):
    two = grants(clinic, 2)
    EpisodeStanding.objects.all().delete()
    ProcessDay.objects.all().delete()
    assert unexpected(at_once(*(handing_in(grant, 340) for grant in two))) == []
    assert not list(checks.differing_days())


@pytest.mark.postgresql
def test_control_without_the_lock_one_conclusion_is_lost(clinic, monkeypatch):
    """Both have read before either writes: the later one writes a course without the other's rating."""
    two = grants(clinic, 2)
    both_have_read = threading.Barrier(2, timeout=20)

    def unlocked(grant):
        rows = EpisodeStanding.objects.filter(episode=grant.session.episode_id)
        return {row.pk: row for row in rows.select_related("episode__client")}

    concluded = conclude.fresh

    def waits(found, rules, now):
        both_have_read.wait()
        return concluded(found, rules, now)

    monkeypatch.setattr(standing, "lock_of_grant", unlocked)
    monkeypatch.setattr(conclude, "fresh", waits)
    assert connection.vendor == "postgresql", "SQLite has one writer at a time: there is no race to lose."
    assert unexpected(at_once(*(handing_in(grant, 340) for grant in two))) == []
    monkeypatch.setattr(conclude, "fresh", concluded)
    assert differences() != []


def test_a_write_that_fails_leaves_the_standing_as_it_was(clinic):
    cast.rated_course(clinic.olgas, [380, 330])
    before = EpisodeStanding.objects.get(episode=clinic.olgas).revision
    with transaction.atomic():
        cast.rating(cast.therapy_session(clinic.olgas), 300)
        transaction.set_rollback(True)
    assert EpisodeStanding.objects.get(episode=clinic.olgas).revision == before
    assert differences() == []
