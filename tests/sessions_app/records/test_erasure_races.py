"""An erasure beside what goes on meanwhile: real threads and real connections, on both databases.

Either the client is gone and nothing of them is left, or they are there whole; and nobody is shown an error.
"""

import json
import threading

import pytest
from django.db import transaction
from django.utils import timezone

from alliance.erasures import Erasure
from alliance.models import AuditEvent
from alliance.refused import Gone, Refused
from clients import actions
from clients.models import Client, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, SetAsideRating
from sessions_app.flags import checks
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from sessions_app.records import erasure, erasure_actions, export_file, sheets
from sessions_app.records.field_table import going_with_the_client
from sessions_app.records.sheets import ErasedMeanwhile, Part, Scope
from tests import cast
from tests.sessions_app.intake.test_races import LONG_ENOUGH, MEET_WITHIN, at_once, handing_in, unexpected
from tests.sessions_app.records.courses import full_course

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


@pytest.fixture
def rounds(clinic):
    """Clients of Olga, one for each round."""
    return [cast.episode(clinic.olga, f"K-1{n}") for n in range(ROUNDS)]


def asked(episode, clinic):
    return erasure_actions.ask(client=episode.client, reason="asked", note="", by=clinic.adam)


def erasing(one, by):
    return lambda: erasure_actions.confirm(erasure=Erasure.objects.get(pk=one.pk), by=by)


def left_of(pk):
    return {table.model for table in going_with_the_client() if erasure.rows_of(table, [pk]).exists()}


def nothing_is_left(episode):
    assert left_of(episode.client_id) == set()
    assert not list(checks.differing_days())


def test_erased_while_the_client_hands_in(clinic, rounds):
    for episode in rounds:
        cast.rated_course(episode, [380, 375])
        grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(episode), by=clinic.olga)
        one = asked(episode, clinic)
        outcomes = at_once(erasing(one, clinic.olga), handing_in(grant, 250))
        # `DoesNotExist`: this thread looked for its grant when it was gone already.
        assert unexpected(outcomes, Gone, RatingGrant.DoesNotExist) == []
        assert isinstance(outcomes[0], Erasure)
        nothing_is_left(episode)


def test_erased_while_marks_are_set_aside(clinic, rounds):
    for episode in rounds:
        session = cast.therapy_session(episode)
        cast.rating(session, 380)
        grant = session.ratings.get().grant
        one = asked(episode, clinic)
        disputed = lambda grant=grant: record_rating(grant=grant, answers=cast.answers(100), mode=Mode.LINE)  # noqa: E731
        outcomes = at_once(erasing(one, clinic.olga), disputed)
        assert unexpected(outcomes, Gone, NotStored) == []
        nothing_is_left(episode)
    assert not SetAsideRating.objects.exists()


def test_erased_while_a_form_is_handed_over_and_an_episode_opened(clinic, rounds):
    today = timezone.localdate()
    for episode in rounds:
        one = asked(episode, clinic)
        outcomes = at_once(
            erasing(one, clinic.olga),
            lambda episode=episode: hand_over_actions.hand_over_now(episode=episode, by=clinic.olga),
            lambda episode=episode: actions.open_episode(
                client=episode.client, therapist=clinic.carl, opened_on=today, by=clinic.adam
            ),
        )
        assert unexpected(outcomes, Refused) == []
        if isinstance(outcomes[0], Erasure):
            nothing_is_left(episode)
        else:  # an episode was opened just then: the second person looks again
            assert Client.objects.filter(pk=episode.client_id).exists()
            assert Episode.objects.filter(client=episode.client_id).count() == 2


def test_confirmed_by_two_at_once_it_is_done_once(clinic, rounds):
    agnes = cast.person("Agnes", "administrator")
    for episode in rounds:
        cast.rated_course(episode, [380])
        one = asked(episode, clinic)
        outcomes = at_once(erasing(one, clinic.olga), erasing(one, agnes))
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(outcome, Erasure) for outcome in outcomes) == 1
        nothing_is_left(episode)
    assert AuditEvent.objects.filter(action="client erased").count() == ROUNDS


def test_confirmed_and_called_off_at_once_it_is_one_of_the_two(clinic, rounds):
    for episode in rounds:
        cast.rated_course(episode, [380])
        one = asked(episode, clinic)
        calling_off = lambda one=one: erasure_actions.call_off(  # noqa: E731
            erasure=Erasure.objects.get(pk=one.pk), by=clinic.adam
        )
        outcomes = at_once(erasing(one, clinic.olga), calling_off)
        assert unexpected(outcomes, Refused) == []
        one.refresh_from_db()
        assert (one.confirmed_at is None) == Client.objects.filter(pk=episode.client_id).exists()
        assert (one.confirmed_at is None) != (one.called_off_at is None)


def test_erased_while_an_export_is_made_the_file_is_of_before_or_it_breaks_off(clinic, rounds, monkeypatch):
    monkeypatch.setattr(sheets, "PAGE", 2)
    for place, episode in enumerate(rounds):
        said = full_course(episode, f"round{place}")
        one = asked(episode, clinic)
        exporting = lambda: "".join(export_file.as_json(Scope(clinic.olga, Part.OWN)))  # noqa: E731
        erased, text = at_once(erasing(one, clinic.olga), exporting)
        assert isinstance(erased, Erasure)
        if isinstance(text, ErasedMeanwhile):
            continue
        assert not isinstance(text, Exception), text
        json.loads(text)
        held = {where for where, words in said.items() if words in text}
        assert held in (set(), set(said)), held
        nothing_is_left(episode)


# --- The lock ------------------------------------------------------------------------------------


def rating_holds_while_an_erasure_comes(clinic, monkeypatch):
    """A rating is stored and not committed when somebody confirms; it ends once the erasure has counted, or waits."""
    cast.rated_course(clinic.olgas, [380, 375])
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    one = asked(clinic.olgas, clinic)
    stored, counted = threading.Event(), threading.Event()
    take_out = erasure._take_out_of_the_counts

    def counts_and_says_so(clients):
        take_out(clients)
        counted.set()

    def hands_in():
        with transaction.atomic():
            handing_in(grant, 250)()
            stored.set()
            counted.wait(LONG_ENOUGH)

    def erases():
        assert stored.wait(MEET_WITHIN)
        erasing(one, clinic.olga)()

    monkeypatch.setattr(erasure, "_take_out_of_the_counts", counts_and_says_so)
    return at_once(hands_in, erases)


def test_an_erasure_waits_for_a_rating_that_is_being_stored(clinic, monkeypatch):
    assert unexpected(rating_holds_while_an_erasure_comes(clinic, monkeypatch)) == []
    nothing_is_left(clinic.olgas)


@pytest.mark.postgresql
def test_control_without_the_lock_of_the_episodes_the_counts_are_wrong(clinic, monkeypatch):
    """SQLite has one writer at a time anyway."""
    monkeypatch.setattr(erasure_actions, "lock_episodes", lambda episodes: None)
    outcomes = rating_holds_while_an_erasure_comes(clinic, monkeypatch)
    assert unexpected(outcomes) != [] or list(checks.differing_days())


@pytest.mark.postgresql
def test_control_without_the_lock_of_the_client_an_episode_is_opened_into_nothing(clinic, monkeypatch):
    one = asked(clinic.olgas, clinic)
    opened, deleted = threading.Event(), threading.Event()
    delete = erasure.delete

    def deletes_and_says_so(*args):
        found = delete(*args)
        deleted.set()
        return found

    def opens():
        with transaction.atomic():
            actions.open_episode(
                client=clinic.olgas.client,
                therapist=clinic.carl,
                opened_on=timezone.localdate(),
                by=clinic.adam,
            )
            opened.set()
            deleted.wait(LONG_ENOUGH)

    def erases():
        assert opened.wait(MEET_WITHIN)
        erasing(one, clinic.olga)()

    monkeypatch.setattr(erasure, "delete", deletes_and_says_so)
    locked = at_once(opens, erases)
    assert unexpected(locked, Refused) == []
    assert Episode.objects.filter(client=clinic.olgas.client_id).count() == 2
    for done in (opened, deleted):
        done.clear()
    Episode.objects.filter(therapist=clinic.carl, client=clinic.olgas.client_id).update(
        closed_on=timezone.localdate(), ending="planned"
    )
    monkeypatch.setattr(actions, "lock_client", lambda client: client)
    monkeypatch.setattr(erasure, "episodes_to_lock", lambda client: [])
    assert unexpected(at_once(opens, erases), Refused) != []
