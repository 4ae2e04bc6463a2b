"""Two tabs, and a late upload meanwhile: with real threads and real connections, on both databases."""

import threading

import pytest
from django.db import IntegrityError
from django.utils import timezone

from alliance.refused import Refused
from clients.models import Episode
from sessions_app.corrections import actions as decide
from sessions_app.courses.decisions import Settlement
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.intake import hand_over_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.sessions_app.corrections.marks import disputed, use, withdrawn
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def using(aside, seen, by):
    """As a request does it: with a row of its own."""
    return lambda: decide.use(aside=SetAsideRating.objects.get(pk=aside.pk), seen=seen, by=by)


def standing(session):
    return Rating.objects.standing().filter(session=session)


def test_two_tabs_that_use_the_same_marks_make_one_rating_of_them(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        aside = disputed(session, 330)
        seen = Rating.objects.get(session=session).code
        outcomes = at_once(*[using(aside, seen, clinic.olga)] * 4)
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(one, Rating) for one in outcomes) == 1
        assert session.ratings.count() == 2
        assert standing(session).get().total == 330


def test_two_tabs_that_use_different_marks_of_one_session_leave_one_standing(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        asides = [withdrawn(session, total) for total in (330, 300)]
        outcomes = at_once(*(using(aside, None, clinic.olga) for aside in asides))
        assert unexpected(outcomes, Refused) == []
        assert session.ratings.count() == standing(session).count() == 1
        assert SetAsideRating.objects.to_settle().filter(session=session).count() == 1


def test_use_and_leave_at_once_are_one_decision(clinic):
    for _ in range(ROUNDS):
        aside = withdrawn(cast.therapy_session(clinic.olgas))
        leaving = lambda aside=aside: decide.leave(aside=aside, by=clinic.olga)  # noqa: E731
        assert unexpected(at_once(using(aside, None, clinic.olga), leaving), Refused) == []
        (decision,) = Settlement.objects.standing().filter(set_aside=aside)
        assert (decision.rating is not None) == (decision.outcome == "used")


def test_a_late_upload_meanwhile_is_never_replaced_unseen_and_never_lost(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        aside = withdrawn(session, 330)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        outcomes = at_once(using(aside, None, clinic.olga), handing_in(grant, 380))
        assert unexpected(outcomes, Refused, NotStored) == []
        assert session.ratings.count() == 1
        waits = SetAsideRating.objects.to_settle().filter(session=session)
        # Whichever came second is kept aside: the upload as disputed, or the marks undecided as before.
        assert {one.total for one in standing(session)} | {sum(one.answers.values()) for one in waits} == {
            330,
            380,
        }


def test_the_same_marks_sent_again_while_they_are_used_are_one_rating(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        aside = withdrawn(session, 330)
        outcomes = at_once(using(aside, None, clinic.olga), handing_in(aside.grant, 330))
        assert unexpected(outcomes, NotStored) == []
        assert (session.ratings.count(), session.set_aside.count()) == (1, 1)


def test_two_tabs_that_correct_one_rating_leave_one_correction(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        paper = enter_rating(
            session=session, answers=cast.answers(280), channel=Channel.PAPER, by=clinic.olga
        )
        options = {"rating": paper, "channel": Channel.PAPER, "why": "x", "by": clinic.olga}
        correcting = [
            lambda total=total, options=options: decide.correct(answers=cast.answers(total), **options)
            for total in (380, 390)
        ]
        assert unexpected(at_once(*correcting), Refused) == []
        assert session.ratings.count() == 2
        assert standing(session).count() == 1


def test_correcting_and_putting_back_at_once_leave_one_standing(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        rating = use(disputed(session, 330))
        backs = [lambda rating=rating: decide.put_back(rating=rating, by=clinic.olga)] * 3
        assert unexpected(at_once(*backs), Refused) == []
        assert session.ratings.count() == 3
        assert standing(session).get().total == 380


@pytest.mark.postgresql
def test_control_without_the_lock_the_second_tab_meets_the_constraint_instead_of_a_sentence(
    clinic, monkeypatch
):
    """Both look before either writes. The database still lets only one decision stand."""
    aside = disputed(cast.therapy_session(clinic.olgas), 330)
    seen = Rating.objects.get().code
    looked = threading.Barrier(2, timeout=MEET_WITHIN)
    look = decide.refuse_if_settled

    def looks_then_waits(aside):
        look(aside)
        looked.wait()

    monkeypatch.setattr(decide, "lock_for_decision", lambda pk: Episode.objects.get(pk=pk))
    monkeypatch.setattr(decide, "refuse_if_settled", looks_then_waits)
    outcomes = at_once(*[using(aside, seen, clinic.olga)] * 2)
    assert [type(one) for one in unexpected(outcomes, Refused)] == [IntegrityError]
    assert Settlement.objects.standing().count() == 1


def test_a_decision_is_about_what_one_saw(clinic):
    """An action that took whatever stands at that moment would replace the late upload unseen, as here."""
    session = cast.therapy_session(clinic.olgas)
    aside = withdrawn(session, 330)
    late, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    record_rating(grant=late, answers=cast.answers(380), mode=Mode.LINE)
    with pytest.raises(Refused, match="Look at both again"):
        decide.use(aside=aside, seen=None, by=clinic.olga)
    decide.use(aside=aside, seen=Rating.objects.last_of(session).code, by=clinic.olga)
    assert standing(session).get().total == 330
    assert not RatingGrant.objects.awaiting(timezone.now()).exists()
