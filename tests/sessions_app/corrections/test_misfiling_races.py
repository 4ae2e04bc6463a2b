"""Setting aside and moving while marks arrive, and while two people do it: real threads, on both databases."""

import threading

import pytest
from django.db import IntegrityError
from django.utils import timezone

from alliance.refused import Refused
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.decisions import Misfiling
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.flags.checks import differing
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import NotStored
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


@pytest.fixture
def other(clinic):
    return cast.episode(clinic.olga, "K-106")


def setting_aside(rating, by):
    """As a request does it: with a row of its own."""
    return lambda: misfiling_actions.set_aside(rating=fresh(rating), why="x", by=by)


def moving(rating, to, by):
    return lambda: misfiling_actions.move(rating=fresh(rating), to=to, why="x", by=by)


def putting_back(misfiling, by):
    return lambda: misfiling_actions.put_back(misfiling=Misfiling.objects.get(pk=misfiling.pk), by=by)


def fresh(rating):
    return Rating.objects.select_related("session__episode__client", "grant").get(pk=rating.pk)


def standing(session):
    return list(Rating.objects.standing().filter(session=session))


def is_concluded(*sessions):
    return list(differing({session.episode_id for session in sessions})) == []


def test_set_aside_against_a_new_rating_of_the_session_loses_neither(clinic):
    """A partial rating is set aside while the client, who was asked again, hands in."""
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        partial = cast.rating(session, 390, goals=None)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        outcomes = at_once(setting_aside(partial, clinic.olga), handing_in(grant, 300))
        assert unexpected(outcomes, Refused, NotStored) == []
        waits = SetAsideRating.objects.to_settle().filter(session=session)
        # The marks stand, or they wait for the therapist: the hand-over was taken back by setting aside.
        assert len(standing(session)) + waits.count() == 1
        assert Misfiling.objects.standing().get(rating=partial)
        assert not RatingGrant.objects.awaiting(timezone.now()).exists()
        assert is_concluded(session)


def test_a_move_against_a_hand_in_at_the_right_session_loses_neither(clinic, other):
    for _ in range(ROUNDS):
        session, right = cast.therapy_session(clinic.olgas), cast.therapy_session(other)
        wrong = cast.rating(session, 210)
        grant, _ = hand_over_actions.hand_over(session=right, by=clinic.olga)
        outcomes = at_once(moving(wrong, right, clinic.olga), handing_in(grant, 300))
        assert unexpected(outcomes, Refused, NotStored) == []
        (there,) = standing(right)
        if there.total == 210:  # moved first: the hand-in waits for the therapist
            assert standing(session) == []
            assert SetAsideRating.objects.to_settle().filter(session=right).count() == 1
        else:  # handed in first: there was no place, and the marks are where they were
            assert standing(session) == [wrong]
            assert not Misfiling.objects.filter(rating=wrong).exists()
        assert is_concluded(session, right)


def test_two_tabs_that_move_the_same_marks_make_one_rating_of_them(clinic, other):
    for _ in range(ROUNDS):
        wrong = cast.rating(cast.therapy_session(clinic.olgas), 210)
        rights = [cast.therapy_session(other), cast.therapy_session(other)]
        outcomes = at_once(*(moving(wrong, right, clinic.olga) for right in rights))
        assert unexpected(outcomes, Refused) == []
        assert sum(len(standing(right)) for right in rights) == 1
        assert Misfiling.objects.standing().filter(rating=wrong).count() == 1


def test_two_moves_in_opposite_directions_wait_for_each_other_and_do_not_lock_up(clinic, other):
    for _ in range(ROUNDS):
        here, there = cast.therapy_session(clinic.olgas), cast.therapy_session(other)
        free = {clinic.olgas: cast.therapy_session(clinic.olgas), other: cast.therapy_session(other)}
        ratings = cast.rating(here, 210), cast.rating(there, 220)
        outcomes = at_once(
            moving(ratings[0], free[other], clinic.olga), moving(ratings[1], free[clinic.olgas], clinic.olga)
        )
        assert unexpected(outcomes) == []
        assert [row.total for row in standing(free[clinic.olgas]) + standing(free[other])] == [220, 210]


def test_two_that_put_back_at_once_do_it_once(clinic, other):
    for _ in range(ROUNDS):
        session, right = cast.therapy_session(clinic.olgas), cast.therapy_session(other)
        misfiling = misfiling_actions.move(
            rating=cast.rating(session, 210), to=right, why="x", by=clinic.olga
        )
        outcomes = at_once(*[putting_back(misfiling, clinic.olga)] * 3)
        assert unexpected(outcomes, Refused) == []
        assert ([row.total for row in standing(session)], standing(right)) == ([210], [])
        assert session.ratings.count() == 3


@pytest.mark.postgresql
def test_control_without_the_locks_the_second_tab_meets_a_constraint_instead_of_a_sentence(
    clinic, other, monkeypatch
):
    """Both look before either writes. The database still lets the marks be moved only once."""
    wrong = cast.rating(cast.therapy_session(clinic.olgas), 210)
    rights = [cast.therapy_session(other), cast.therapy_session(other)]
    looked = threading.Barrier(2, timeout=MEET_WITHIN)
    take = misfiling_actions._in_place_of

    def looks_then_waits(rating, **options):
        looked.wait()
        return take(rating, **options)

    monkeypatch.setattr(misfiling_actions, "lock_episodes", lambda episodes: None)
    monkeypatch.setattr(misfiling_actions, "_in_place_of", looks_then_waits)
    outcomes = at_once(*(moving(wrong, right, clinic.olga) for right in rights))
    assert [type(one) for one in unexpected(outcomes, Refused)] == [IntegrityError]
    assert sum(len(standing(right)) for right in rights) == 1


@pytest.mark.postgresql
def test_control_without_the_lock_a_hand_in_is_replaced_unseen(clinic, other, monkeypatch):
    """The move looks at a session without a rating, and the hand-in comes before the move writes."""
    session, right = cast.therapy_session(clinic.olgas), cast.therapy_session(other)
    wrong = cast.rating(session, 210)
    grant, _ = hand_over_actions.hand_over(session=right, by=clinic.olga)
    free_for = misfiling_actions._free_for

    def looks_then_a_hand_in_comes(rating, to):
        found = free_for(rating, to)
        assert isinstance(at_once(handing_in(grant, 300))[0], Rating)
        return found

    monkeypatch.setattr(misfiling_actions, "lock_episodes", lambda episodes: None)
    monkeypatch.setattr(misfiling_actions, "_free_for", looks_then_a_hand_in_comes)
    (outcome,) = unexpected(at_once(moving(wrong, right, clinic.olga)), Refused)
    assert isinstance(outcome, IntegrityError)  # an error page instead of a sentence; still never doubled
    assert [row.total for row in standing(right)] == [300]
