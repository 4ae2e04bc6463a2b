"""Several forms in one hand-over: each opens once the one before was handed in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.device_lock import _LOCK
from alliance.measurement import instruments
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.courses.tokens import hash_of_token
from sessions_app.intake import form_sets, hand_over_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from tests.sessions_app.intake.rate_form import DONE, FORM, NOT_TODAY, key_of, marks

pytestmark = pytest.mark.django_db


def held_by(client):
    return RatingGrant.every.filter(token_hash=hash_of_token(client.session[_LOCK]["token"])).first()


def hand_in(client, **changed):
    client.post(FORM, marks(**changed))
    return client.get(DONE)


def test_the_next_form_opens_on_the_same_device_and_then_it_is_over(client, give):
    first = give(1)
    key = key_of(client)
    assert hand_in(client).url == FORM
    second = held_by(client)
    assert (second.form_set, second.place_in_set, key_of(client) == key) == (first.form_set, 1, False)
    assert client.get(FORM).status_code == 200
    assert hand_in(client, overall="50").status_code == 200
    assert client.session[_LOCK]["token"] == ""
    assert (Rating.objects.get().total, QuestionnaireResponse.objects.get().total) == (346, 296)


def test_the_rating_is_read_by_the_rules_and_the_questionnaire_is_not(client, give, session):
    give(1)
    hand_in(client)
    hand_in(client, overall="0")
    assert [rating.total for rating in Rating.objects.standing()] == [346]
    assert session.grants.count() == 1
    assert RatingGrant.every.filter(session=session).count() == 2


def test_questionnaires_alone_leave_the_session_unrated(client, give, session):
    give(2, rating=False)
    hand_in(client)
    hand_in(client)
    assert (Rating.objects.count(), QuestionnaireResponse.objects.standing().count()) == (0, 2)
    session.refresh_from_db()
    assert not hasattr(session, "rating")


def test_whoever_declines_ends_the_whole_set(client, give):
    give(2)
    client.post(NOT_TODAY)
    assert not RatingGrant.every.awaiting(timezone.now()).exists()
    assert client.get(FORM).url == DONE


def test_declined_after_the_first_form_keeps_it(client, give):
    give(1)
    hand_in(client)
    client.post(NOT_TODAY)
    assert (Rating.objects.standing().count(), QuestionnaireResponse.objects.count()) == (1, 0)
    assert not RatingGrant.every.awaiting(timezone.now()).exists()


def test_taken_back_nothing_of_the_set_opens(client, give, clinic):
    first = give(1)
    hand_over_actions.take_back(grant=first, by=clinic.olga)
    client.post(FORM, marks())
    assert form_sets.open_next(grant=first) is None
    assert not RatingGrant.every.awaiting(timezone.now()).exists()


def test_handed_over_again_nothing_of_the_first_set_is_out(client, give):
    first = give(1)
    second = give(1)
    out = RatingGrant.every.awaiting(timezone.now())
    assert set(out.values_list("form_set", flat=True)) == {second.form_set} != {first.form_set}


def test_whoever_is_slow_with_the_first_form_reaches_the_next_one(client, give, time_machine):
    first = give(1)
    time_machine.move_to(first.finish_until - timedelta(seconds=5), tick=False)
    assert hand_in(client).url == FORM
    assert client.get(FORM).status_code == 200
    time_machine.move_to(held_by(client).finish_until + timedelta(seconds=1), tick=False)
    assert client.get(FORM).status_code == 410


def test_a_form_stands_in_a_set_once():
    form = ToFillIn(instruments.get("session-rating"))
    with pytest.raises(ValueError, match="twice"):
        Forms(questionnaires=(form, form))


def test_a_tablet_that_lost_the_answer_opens_the_same_next_form(client, give):
    first = give(1)
    hand_in(client)
    before = held_by(client)
    assert form_sets.open_next(grant=first)
    assert RatingGrant.every.get(pk=before.pk).opened_at == before.opened_at
