"""A question is put in other words while it is answered: with real threads and connections, on both databases."""

import threading

import pytest

from alliance.refused import Refused
from alliance.stale_forms import Opened
from sessions_app.supervision import question_actions as actions
from sessions_app.supervision.forms import AnswerForm
from sessions_app.supervision.questions import SupervisionQuestion
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5
ASKED, OTHERWISE, ANSWER = "What fell?", "What rose?", "The second line."


def read_by_the_therapist():
    return Opened({"answer": "", "question": ASKED}, fields=AnswerForm.base_fields)


def answering(question, by):
    """As a request does it: with a row of its own, and with the words that its page showed."""
    return lambda: actions.answer_question(
        question=SupervisionQuestion.objects.get(pk=question.pk),
        answer=ANSWER,
        by=by,
        opened_with=read_by_the_therapist(),
    )


def asking_otherwise(question, by):
    return lambda: actions.ask_otherwise(
        question=SupervisionQuestion.objects.get(pk=question.pk), words=OTHERWISE, by=by
    )


def both_at_once(clinic):
    question = actions.ask(episode=clinic.olgas, words=ASKED, by=clinic.sina)
    outcomes = at_once(answering(question, clinic.olga), asking_otherwise(question, clinic.sina))
    question.refresh_from_db()
    return question, [isinstance(one, Refused) for one in outcomes]


def test_an_answer_never_stands_at_words_that_its_author_did_not_read(clinic):
    for _ in range(ROUNDS):
        question, refused = both_at_once(clinic)
        assert sorted(refused) == [False, True]
        assert (question.words, question.answer) in {(ASKED, ANSWER), (OTHERWISE, "")}


@pytest.mark.postgresql
def test_control_without_the_lock_an_answer_stands_at_other_words(clinic, monkeypatch):
    """Both read the row before either writes it."""
    looked = threading.Barrier(2, timeout=MEET_WITHIN)

    def unlocked(row):
        stands = SupervisionQuestion.objects.select_related("episode__client").get(pk=row.pk)
        looked.wait()
        return stands

    monkeypatch.setattr(actions, "locked", unlocked)
    question, refused = both_at_once(clinic)
    assert (question.words, question.answer, refused) == (OTHERWISE, ANSWER, [False, False])
