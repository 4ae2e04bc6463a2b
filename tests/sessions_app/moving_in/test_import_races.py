"""Two imports at once, and a rating that is handed in meanwhile: with real threads, on both databases."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.refused import Refused
from clients.models import Client
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating, TherapySession
from sessions_app.flags import checks
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from sessions_app.moving_in import import_actions
from sessions_app.moving_in.client_import import ClientImport
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportedNumber, ImportRun
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, unexpected
from tests.sessions_app.moving_in.files import a_client, checked, clients, sessions, weeks

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


def importing(run, by):
    """As a request does it: with a row of its own."""

    def whole():
        for _step in import_actions.import_file(run=ImportRun.objects.get(pk=run.pk), by=by):
            pass
        return ImportRun.objects.get(pk=run.pk)

    return whole


def a_file(tag: str) -> str:
    return clients(*(f"{tag}{n};{tag}-{n};en;adult;olga@clinic.example;2025-01-13" for n in range(20)))


def test_two_presses_on_one_file_import_it_once(clinic):
    for round_ in range(ROUNDS):
        run = checked(Kind.CLIENTS, a_file(f"A{round_}"), clinic.adam)
        outcomes = at_once(*[importing(run, clinic.adam)] * 3)
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(one, ImportRun) for one in outcomes) == 1
        assert Client.objects.filter(label__startswith=f"A{round_}-").count() == 20


def test_the_same_file_loaded_twice_makes_each_client_once(clinic):
    for round_ in range(ROUNDS):
        runs = [checked(Kind.CLIENTS, a_file(f"B{round_}"), clinic.adam) for _ in range(2)]
        outcomes = at_once(*(importing(run, clinic.adam) for run in runs))
        assert unexpected(outcomes) == []
        assert sorted(one.counts["new"] for one in outcomes) == [0, 20]
        assert Client.objects.filter(label__startswith=f"B{round_}-").count() == 20


@pytest.mark.postgresql
def test_control_without_the_wait_for_the_other_import_one_of_them_fails(clinic, monkeypatch):
    runs = [checked(Kind.CLIENTS, a_file("C"), clinic.adam) for _ in range(2)]
    both_looked, judge = threading.Barrier(2, timeout=MEET_WITHIN), ClientImport.judge

    def judged(self, rows):
        found = judge(self, rows)
        both_looked.wait()
        return found

    monkeypatch.setattr(ClientImport, "judge", judged)
    monkeypatch.setattr(import_actions, "_wait_for_other_imports", lambda: None)
    outcomes = at_once(*(importing(run, clinic.adam) for run in runs))
    assert sorted(type(one).__name__ for one in outcomes) == ["ImportRun", "Refused"]
    assert Client.objects.filter(label__startswith="C-").count() == 20


def test_a_rating_that_is_handed_in_meanwhile_is_neither_lost_nor_doubled(clinic):
    a_client(clinic.adam)
    episode = ImportedNumber.objects.get(number="4711").client.episodes.get()
    for round_ in range(ROUNDS):
        session = cast.therapy_session(episode, ago=timedelta(hours=2 + round_))
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        day = timezone.localdate() - timedelta(weeks=40 * (round_ + 1))
        run = checked(Kind.SESSIONS, sessions(*weeks(f"{day}", [380] * 10)), clinic.adam)

        def handing_in(grant=grant):
            own = RatingGrant.objects.get(pk=grant.pk)
            return record_rating(grant=own, answers=cast.answers(330), mode=Mode.LINE)

        assert unexpected(at_once(importing(run, clinic.adam), handing_in)) == []
        assert session.ratings.get().total == 330
    numbers = [one.number for one in TherapySession.objects.filter(episode=episode).order_by("held_at")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert Rating.objects.filter(session__episode=episode, mode=Mode.IMPORTED).count() == 10 * ROUNDS
    assert list(checks.differing([episode.pk])) == []
    assert list(checks.differing_days()) == []
