"""Answers to a questionnaire: never lost, never doubled, and held where a person has to look."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from alliance.measurement.wording_file import read_wording
from alliance.refused import Refused
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import Held, QuestionnaireResponse
from sessions_app.instruments import actions
from sessions_app.intake import deliveries, hand_over_actions, record_rating
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.intake.record_rating import NotStored, TooManySetAside
from sessions_app.questionnaires import decision_actions
from sessions_app.questionnaires.record_response import HELD_A_GRANT, record_response
from tests import cast
from tests.measurement.wording_files import a_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(give):
    return give(1, rating=False)


def answer(grant, total=300, **of):
    return record_response(grant=grant, answers=cast.answers(total), mode=Mode.LINE, **of)


def test_sent_twice_they_are_one(grant):
    delivery = uuid4()
    first, again = (answer(grant, delivery=delivery) for _ in range(2))
    assert (first.pk, first.held, again.came_before) == (again.pk, "", True)
    assert RatingGrant.every.get(pk=grant.pk).answered_at == first.received_at


def test_other_answers_to_the_same_form_are_kept_and_do_not_count(grant):
    first = answer(grant)
    second = answer(grant, 200)
    assert second.held == Held.DISPUTED
    assert list(QuestionnaireResponse.objects.standing()) == [first]
    assert list(QuestionnaireResponse.objects.to_settle()) == [second]


def test_after_the_form_was_taken_back_they_are_kept(grant, clinic):
    hand_over_actions.take_back(grant=grant, by=clinic.olga)
    with pytest.raises(NotStored) as kept:
        deliveries.record(grant=grant, answers=cast.answers(), mode=Mode.LINE)
    assert kept.value.reason == "withdrawn"
    assert QuestionnaireResponse.objects.get().held == Held.WITHDRAWN


def test_after_the_last_day_they_are_kept(grant):
    assert answer(grant, until=timezone.now() - timedelta(seconds=1)).held == Held.LATE


def test_what_cannot_be_read_is_kept_and_never_counts(grant, clinic):
    with pytest.raises(NotStored):
        deliveries.keep_invalid(grant=grant, raw="?\0", delivery=uuid4(), claimed_at=None)
    kept = QuestionnaireResponse.objects.get()
    assert (kept.held, kept.raw) == (Held.INVALID, "?\u2400")
    with pytest.raises(Refused, match="cannot be read"):
        decision_actions.decide(response=kept, counts=True, why="x", by=clinic.olga)


def test_whoever_plays_with_the_form_is_stopped_and_nothing_is_lost(grant):
    for total in range(HELD_A_GRANT + 1):
        answer(grant, 100 + 4 * total)
    with pytest.raises(TooManySetAside):
        deliveries.record(grant=grant, answers=cast.answers(396), mode=Mode.LINE)
    assert QuestionnaireResponse.objects.count() == HELD_A_GRANT + 1


def test_a_decision_has_a_way_back_and_one_of_two_counts(grant, clinic):
    first, second = answer(grant), answer(grant, 200)
    decision_actions.decide(response=second, counts=True, why="She said so", by=clinic.olga)
    assert list(QuestionnaireResponse.objects.standing()) == [second]
    decision_actions.decide(response=first, counts=True, why="A slip", by=clinic.olga)
    assert list(QuestionnaireResponse.objects.standing()) == [first]
    with pytest.raises(Refused, match="count already"):
        decision_actions.decide(response=first, counts=True, why="Again", by=clinic.olga)


def test_neither_door_takes_what_belongs_to_the_other(grant, give):
    with pytest.raises(ValueError, match="questionnaire"):
        record_rating.record_rating(grant=grant, answers=cast.answers(), mode=Mode.LINE)
    with pytest.raises(ValueError, match="alliance"):
        answer(give(0))


class TestTheDatabase:
    def test_takes_one_response_that_counts_a_grant(self, grant):
        first = answer(grant)
        first.pk, first.code, first.sha256 = None, uuid4(), "other"
        with pytest.raises(IntegrityError), transaction.atomic():
            first.save(force_insert=True)

    @pytest.mark.parametrize(
        "answers", [{"overall": 201}, {"overall": -201}, {"overall": "5"}, {"overall": 5.5}]
    )
    def test_refuses_an_answer_out_of_range(self, grant, answers):
        with pytest.raises(DatabaseError), transaction.atomic():
            QuestionnaireResponse.objects.create(
                grant=grant, session=grant.session, rater="client", answers=answers, mode="line"
            )

    def test_keeps_what_was_answered(self, grant):
        answer(grant)
        with pytest.raises(DatabaseError), transaction.atomic():
            QuestionnaireResponse.objects.update(total=400)

    def test_lets_nobody_but_the_client_rate_the_alliance(self, give):
        with pytest.raises(IntegrityError), transaction.atomic():
            RatingGrant.every.filter(pk=give(0).pk).update(rater="therapist")


def test_a_colleague_sees_none_and_the_supervisor_does(grant, clinic):
    answer(grant)
    seen = QuestionnaireResponse.objects
    assert [seen.visible_to(one).count() for one in (clinic.olga, clinic.carl, clinic.sina, clinic.adam)] == [
        1, 0, 1, 0,
    ]  # fmt: skip


def test_answers_to_a_wording_are_scored_by_what_it_states(clinic, session):
    """Its definition has items 4, 8, 11, 16 and 19 turned from memory; the owner's form turns item 4 alone."""
    said = "[stated]\nrange = [1, 6]\nreverse = [4]\ndiffers = ['reverse']"
    read = read_wording(a_form("haq-ii", stated=said), ["en"])
    cast.licence(clinic.adam, instrument="haq-ii")
    wording = actions.switch_on(wording=actions.load_wording(read=read, by=clinic.adam), by=clinic.adam)
    forms = Forms(False, (ToFillIn(read.instrument, Rater.CLIENT),))
    grant, _token = hand_over_actions.hand_over(session=session, by=clinic.olga, forms=forms)
    assert grant.wording == wording
    answers = {item.id: 20 for item in read.scored.items}
    assert record_response(grant=grant, answers=answers, mode=Mode.LINE).total == 18 * 20 + 50
