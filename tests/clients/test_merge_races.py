"""A merge against whatever else is under way: with real threads and real connections, on both databases."""

import threading

import pytest
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import actions, merge_actions
from clients.models import Client, ClientMerge, ClientQuerySet, Episode, EpisodeMove, EpisodeQuerySet
from sessions_app.courses.models import TherapySession
from sessions_app.intake import hand_over_actions
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


@pytest.fixture
def records(clinic):
    """Makes two records of one person: one of Olga, one of Carl, who has a session today."""

    def made():
        kept, moving = cast.episode(clinic.olga, "A-1"), cast.episode(clinic.carl, "A-1b")
        cast.therapy_session(moving)
        return kept.client, moving

    return made


def merging(kept, merged, by):
    """As a request does it: with rows of its own, and with what the page showed."""
    seen = set(Episode.objects.filter(client__in=[kept, merged]).values_list("code", flat=True))
    return lambda: merge_actions.merge_clients(
        kept=Client.objects.get(pk=kept.pk), merged=Client.objects.get(pk=merged.pk), seen=seen, by=by
    )


def handing_over(episode, by):
    """The page of the hand-over read the session before; its client is known from then."""
    session = TherapySession.objects.select_related("episode__client").get(episode=episode)
    return lambda: hand_over_actions.hand_over(session=session, by=by)


def strays(record):
    """Lines that name the record though it had been merged already: who looks at its client misses them."""
    merge = AuditEvent.objects.get(action="client merged", client=record.code)
    return AuditEvent.objects.filter(client=record.code, pk__gt=merge.pk)


def test_a_hand_over_meanwhile_stays_valid_and_is_logged_where_the_client_is(clinic, records):
    for _ in range(ROUNDS):
        kept, moving = records()
        merged = moving.client
        outcomes = at_once(handing_over(moving, clinic.carl), merging(kept, merged, clinic.adam))
        assert unexpected(outcomes) == []
        assert Episode.objects.get(pk=moving.pk).client == kept
        assert not strays(merged).exists()
        rating = handing_in(outcomes[0][0], 380)()
        assert rating.session.episode_id == moving.pk


@pytest.mark.postgresql
def test_control_without_the_lock_a_hand_over_is_logged_for_a_record_that_is_gone(
    clinic, records, monkeypatch
):
    kept, moving = records()
    merged, is_merged = moving.client, threading.Barrier(2, timeout=MEET_WITHIN)

    read = []

    def read_and_waited(pk):
        if not read:
            read.append(Episode.objects.select_related("client").get(pk=pk))
            is_merged.wait()
        return read[0]

    def merge_then_say():
        merging(kept, merged, clinic.adam)()
        is_merged.wait()

    monkeypatch.setattr(hand_over_actions, "lock_episode", read_and_waited)
    outcomes = at_once(handing_over(moving, clinic.carl), merge_then_say)
    assert unexpected(outcomes) == []
    assert strays(merged).exists()


def opening(client, therapist, by):
    today = timezone.localdate()
    return lambda: actions.open_episode(client=client, therapist=therapist, opened_on=today, by=by)


def test_an_episode_opened_meanwhile_is_left_behind_in_no_record(clinic, records):
    nora = cast.person("Nora", "therapist")
    for _ in range(ROUNDS):
        kept, moving = records()
        merged = moving.client
        outcomes = at_once(opening(merged, nora, clinic.adam), merging(kept, merged, clinic.adam))
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(one, Refused) for one in outcomes) == 1, "whichever came second"
        assert not Episode.objects.filter(client__merged_into__isnull=False).exists()


@pytest.mark.postgresql
def test_control_without_the_lock_of_the_record_an_episode_is_left_behind(clinic, records, monkeypatch):
    kept, moving = records()
    merged, is_merged = moving.client, threading.Barrier(2, timeout=MEET_WITHIN)
    create = EpisodeQuerySet.create

    def wait_then_create(self, **fields):
        is_merged.wait()
        return create(self, **fields)

    def merge_then_say():
        merging(kept, merged, clinic.adam)()
        is_merged.wait()

    monkeypatch.setattr(ClientQuerySet, "select_for_update", lambda self: self.all())
    monkeypatch.setattr(EpisodeQuerySet, "create", wait_then_create)
    outcomes = at_once(opening(merged, cast.person("Nora", "therapist"), clinic.adam), merge_then_say)
    assert unexpected(outcomes) == []
    assert Episode.objects.filter(client__merged_into__isnull=False).exists()


def test_two_administrators_who_merge_both_ways_make_one_merge(clinic, records):
    for _ in range(ROUNDS):
        kept, moving = records()
        ways = merging(kept, moving.client, clinic.adam), merging(moving.client, kept, clinic.adam)
        outcomes = at_once(*ways)
        assert unexpected(outcomes, Refused) == []
        (done,) = [one for one in outcomes if isinstance(one, ClientMerge)]
        pair = Client.objects.filter(pk__in=[kept.pk, moving.client_id])
        assert pair.get(merged_into=None).episodes.count() == 2
        assert pair.get(merged_into=done.kept) == done.merged


def test_a_merge_is_undone_once(clinic, records):
    for _ in range(ROUNDS):
        kept, moving = records()
        done = merging(kept, moving.client, clinic.adam)()
        undo = lambda done=done: merge_actions.undo_merge(merge=done, by=clinic.adam)  # noqa: E731
        outcomes = at_once(undo, undo, undo)
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(one, ClientMerge) for one in outcomes) == 1
        assert not EpisodeMove.objects.standing().exists()
        assert AuditEvent.objects.filter(action="client merge undone", client=done.merged.code).count() == 1
