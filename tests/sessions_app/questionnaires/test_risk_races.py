"""Two who write about one answer at once, and two administrators: with real threads, on both databases."""

import threading

import pytest
from django.db import IntegrityError

from alliance.refused import Refused
from sessions_app.questionnaires import risk_actions
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskNote
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from tests import cast
from tests.sessions_app.intake.test_races import at_once, unexpected
from tests.sessions_app.questionnaires.answering import confirm, given, phq

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


@pytest.fixture
def confirmed(clinic):
    return confirm(looks=clinic.sina, by=clinic.adam)


def noting(answer, note, by):
    """As a request does it: with a row of its own."""
    return lambda: risk_actions.acknowledge(answer=RiskAnswer.objects.get(pk=answer.pk), note=note, by=by)


def test_two_who_write_at_once_learn_of_each_other(clinic, confirmed):
    for _ in range(ROUNDS):
        answer = phq(cast.therapy_session(clinic.olgas), ninth=20).risk_answers.get()
        outcomes = at_once(*(noting(answer, f"note {n}", clinic.olga) for n in range(4)))
        assert unexpected(outcomes, Refused) == []
        assert RiskNote.objects.filter(answer=answer).count() == 1


@pytest.mark.postgresql  # on SQLite one transaction that writes waits for the other anyway
def test_control_without_the_lock_both_believe_they_are_the_first(clinic, confirmed, monkeypatch):
    """The race that the lock is for: two look, then two write."""
    meet = threading.Barrier(2, timeout=10)
    monkeypatch.setattr(risk_actions, "lock_episode", lambda pk: None)
    create = RiskNote.objects.create

    def slowly(**values):
        meet.wait()
        return create(**values)

    monkeypatch.setattr(RiskNote.objects, "create", slowly)
    answer = phq(cast.therapy_session(clinic.olgas), ninth=20).risk_answers.get()
    at_once(*(noting(answer, f"note {n}", clinic.olga) for n in range(2)))
    assert RiskNote.objects.filter(answer=answer).count() == 2


def test_the_same_answers_arriving_twice_at_once_raise_one(clinic, confirmed):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        grant = given(session, "phq-9")
        outcomes = at_once(*[lambda grant=grant, session=session: phq(session, grant=grant, ninth=20)] * 4)
        assert unexpected(outcomes) == []
        assert RiskAnswer.objects.filter(response__session=session).count() == 1


def test_two_administrators_who_confirm_at_once_leave_one_standing(clinic):
    for n in range(ROUNDS):
        outcomes = at_once(
            *(
                lambda who=who, n=n: confirm(looks=who, by=clinic.adam, sentences={"en": f"Call {n} {who}"})
                for who in (clinic.sina, clinic.olga)
            )
        )
        assert unexpected(outcomes, Refused, IntegrityError) == []
        assert RiskConfirmation.objects.standing().count() == 1
