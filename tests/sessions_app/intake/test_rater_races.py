"""A guess against the marks that arrive, two presses, two caregivers: real threads and connections, both databases."""

from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.measurement import instruments
from alliance.models import User
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments import promise_actions
from sessions_app.instruments.promises import Promise
from sessions_app.intake import guess_actions, hand_over_actions, sending_actions, staff_answer_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.questionnaires.guesses import Guess
from tests import cast
from tests.sessions_app.intake.test_races import at_once, behind, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3
CAREGIVERS = instruments.get("caregiver-session-rating")


@pytest.fixture
def guessing(clinic):
    return guess_actions.choose_guessing(on=True, by=clinic.olga)


def guessing_at(session, by, total=350, outcomes=None):
    """As a request does it: with rows of its own."""

    def guess():
        try:
            made = guess_actions.guess(
                session=TherapySession.objects.select_related("episode").get(pk=session.pk),
                answers=cast.answers(total),
                by=User.objects.get(pk=by.pk),
            )
        except Refused as refusal:
            made = refusal
        if outcomes is not None:
            outcomes.append(made)
        return made

    return guess


def test_marks_that_are_being_stored_come_before_the_guess_that_waits_for_them(clinic, guessing):
    session, outcomes = cast.therapy_session(clinic.olgas), []
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    with behind(handing_in(grant, 380), guessing_at(session, clinic.olga, outcomes=outcomes)):
        assert not Guess.objects.exists()
    assert [str(one) for one in outcomes] == [guess_actions.CAME_ALREADY]
    assert (Rating.objects.count(), Guess.objects.count()) == (1, 0)


@pytest.mark.postgresql
def test_control_without_the_lock_a_guess_is_kept_though_the_marks_were_being_stored(
    clinic, guessing, monkeypatch
):
    session, outcomes = cast.therapy_session(clinic.olgas), []
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    monkeypatch.setattr(guess_actions, "lock_episode", lambda pk: Episode.objects.get(pk=pk))
    with behind(handing_in(grant, 380), guessing_at(session, clinic.olga, outcomes=outcomes)):
        pass
    assert [type(one) for one in outcomes] == [Guess]
    assert Guess.objects.get().made_at > Rating.objects.get().received_at


def test_two_presses_of_one_guess_are_one_and_of_two_the_first_stands(clinic, guessing):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        outcomes = at_once(*[guessing_at(session, clinic.olga, total) for total in (350, 350, 360)])
        assert unexpected(outcomes, Refused) == []
        assert Guess.objects.filter(session=session).count() == 1


def linking(session, by, label, key=None):
    forms = Forms(rating=False, questionnaires=(ToFillIn(CAREGIVERS, Rater.CAREGIVER, label),))
    return lambda: sending_actions.make_link(
        episode=Episode.objects.get(pk=session.episode_id),
        session=TherapySession.objects.select_related("episode__client").get(pk=session.pk),
        by=by,
        forms=forms,
        form_key=key,
    )


def test_links_for_two_caregivers_at_once_are_both_out_and_of_one_caregiver_only_one(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        links = [linking(session, clinic.olga, label) for label in ("mother", "mother", "father")]
        assert unexpected(at_once(*links)) == []
        out = RatingGrant.every.awaiting(timezone.now()).filter(session=session)
        assert sorted(grant.rater_label for grant in out) == ["father", "mother"]


def test_one_press_that_comes_twice_at_once_is_one_link(clinic):
    session, key = cast.therapy_session(clinic.olgas), uuid4()
    made = at_once(*[linking(session, clinic.olga, "mother", key)] * 2)
    assert unexpected(made) == []
    assert len({one.token for one in made}) == RatingGrant.every.count() == 1


@pytest.fixture
def inventory(clinic):
    cast.inventory(clinic.adam, "wai-sr-therapist")
    return instruments.get("wai-sr-therapist")


def answering(session, by, inventory, points, seen=None):
    return lambda: staff_answer_actions.answer_own_form(
        session=TherapySession.objects.select_related("episode__client").get(pk=session.pk),
        instrument=inventory,
        answers={item.id: points for item in inventory.items},
        seen=seen,
        why="mistyped",
        by=by,
    )


def counting(session):
    return QuestionnaireResponse.objects.standing().filter(session=session).count()


def test_two_corrections_of_one_answer_leave_one_that_counts(clinic, inventory):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        first = answering(session, clinic.olga, inventory, 10)()
        outcomes = at_once(
            *(answering(session, clinic.olga, inventory, points, first.code) for points in (20, 30))
        )
        assert unexpected(outcomes, Refused) == []
        assert counting(session) == 1


def test_two_who_answer_one_form_at_once_are_told_of_each_other(clinic, inventory):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        outcomes = at_once(*(answering(session, clinic.olga, inventory, points) for points in (20, 30)))
        assert [str(one) for one in outcomes if isinstance(one, Refused)] == [staff_answer_actions.MEANWHILE]
        assert counting(session) == 1


@pytest.mark.postgresql
def test_control_without_the_lock_both_answers_count(clinic, inventory, monkeypatch):
    session = cast.therapy_session(clinic.olgas)
    monkeypatch.setattr(
        staff_answer_actions, "lock_episode", lambda pk: Episode.objects.select_related("client").get(pk=pk)
    )
    with behind(*(answering(session, clinic.olga, inventory, points) for points in (20, 30))):
        pass
    assert counting(session) == 2


def test_two_administrators_at_once_make_one_version_each_or_are_told(clinic):
    def changing(flag):
        return lambda: promise_actions.change_promise(rater="client", by=clinic.adam, **{flag: True})

    outcomes = at_once(changing("research"), changing("record_system"))
    assert unexpected(outcomes, Refused) == []
    versions = list(Promise.objects.order_by("version").values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))
    assert versions
