"""A session is voided while its client hands in, and forms are sent twice at once: on both databases."""

import threading
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.flags import checks
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.intake import hand_over_actions, record_rating, sending_actions, session_actions
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, ROUNDS, at_once, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)


def voiding(session, by):
    """As a request does it: with a row of its own."""
    return lambda: session_actions.void_session(
        session=TherapySession.every.get(pk=session.pk), why="x", by=by
    )


def nothing_differs():
    return not [*checks.differing([*Episode.objects.values_list("pk", flat=True)]), *checks.differing_days()]


def test_marks_handed_in_while_their_session_is_voided_are_kept_and_count_nowhere(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        outcomes = at_once(handing_in(grant, 330), voiding(session, clinic.olga))
        assert unexpected(outcomes, record_rating.NotStored) == []
        # Either they came first and are the rating of a voided session, or they came later and are set aside.
        kept = Rating.objects.filter(grant=grant).count(), SetAsideRating.objects.filter(grant=grant).count()
        assert sum(kept) == 1
        assert not Rating.objects.standing().filter(grant=grant).exists()
        assert not session.flags.standing().exists()
        assert nothing_differs()
        session_actions.put_session_back(session=session, by=clinic.olga)
        assert Rating.objects.standing().filter(grant=grant).count() == kept[0]
        assert nothing_differs()


def test_voided_twice_at_once_is_voided_once(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        outcomes = at_once(*[voiding(session, clinic.olga)] * 3)
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(one, session_actions.Voided) for one in outcomes) == 1


def test_handed_over_while_it_is_voided_no_form_stays_out(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        outcomes = at_once(
            voiding(session, clinic.olga),
            lambda session=session: hand_over_actions.hand_over(session=session, by=clinic.olga),
        )
        assert unexpected(outcomes, Refused) == []
        assert not RatingGrant.objects.awaiting(timezone.now()).filter(session=session).exists()


@pytest.mark.postgresql
def test_control_without_the_lock_marks_become_the_rating_of_a_session_that_counts_no_more(
    clinic, monkeypatch
):
    """The hand-in has looked whether the form was taken back, and the session is voided before it writes."""
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    looked, voided = (threading.Barrier(2, timeout=MEET_WITHIN) for _ in range(2))
    look = record_rating._reason_to_set_aside

    def looks_then_waits(*what):
        reason = look(*what)
        looked.wait()
        voided.wait()
        return reason

    def void():
        looked.wait()
        try:
            return voiding(session, clinic.olga)()
        finally:
            voided.wait()

    def unlocked(grant):
        grant.refresh_from_db()
        rows = EpisodeStanding.objects.filter(episode=grant.session.episode_id)
        return {row.pk: row for row in rows.select_related("episode__client")}

    monkeypatch.setattr(record_rating.standing, "lock_of_grant", unlocked)
    monkeypatch.setattr(session_actions, "lock_episode", lambda pk: Episode.objects.get(pk=pk))
    monkeypatch.setattr(record_rating, "_reason_to_set_aside", looks_then_waits)
    monkeypatch.setattr(session_actions, "conclude", lambda **_: None)
    monkeypatch.setattr(record_rating, "conclude_locked", lambda before, **_: None)
    outcomes = at_once(handing_in(grant, 330), void)
    assert unexpected(outcomes) == []
    # Taken back, and rated all the same: the tests above would see it.
    assert RatingGrant.objects.get(pk=grant.pk).withdrawn_at is not None
    assert Rating.objects.filter(grant=grant).exists()


@pytest.mark.parametrize("way", ["hand over", "link", "add"])
def test_one_form_sent_four_times_at_once_makes_one(clinic, way):
    def press(key):
        if way == "add":
            now = timezone.now()
            return session_actions.add_session(
                episode=clinic.olgas, held_at=now, by=clinic.olga, form_key=key, another=True
            )
        asked = {"episode": clinic.olgas, "by": clinic.olga, "form_key": key, "new": True}
        if way == "link":
            return sending_actions.make_link(**asked).token
        return hand_over_actions.hand_over_now(**asked)

    for place in range(ROUNDS):
        key = uuid4()
        outcomes = at_once(*[lambda key=key: press(key)] * 4)
        assert unexpected(outcomes) == []
        assert len(set(outcomes)) == 1
        assert TherapySession.objects.count() == place + 1
        assert RatingGrant.objects.count() == (0 if way == "add" else place + 1)


def test_two_tabs_that_add_at_the_same_time_are_asked(clinic):
    held_at = timezone.now()
    asked = {"episode": clinic.olgas, "held_at": held_at, "by": clinic.olga}
    outcomes = at_once(*[lambda: session_actions.add_session(**asked, form_key=uuid4())] * 2)
    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [Refused]
    assert TherapySession.objects.count() == 1
