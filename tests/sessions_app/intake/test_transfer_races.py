"""A transfer against what arrives or is written at the same moment: with real threads, on both databases."""

import threading

import pytest
from django.utils import timezone

from alliance.models import User
from alliance.refused import Refused
from clients import actions, caseload_transfer, lock, staff_actions
from clients.caseload_transfer import Move
from clients.models import Ending, Episode
from sessions_app.courses.late_marks import LateMarks
from sessions_app.courses.models import Rating
from sessions_app.flags import discussion_actions
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions, record_rating
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def transferring(clinic, episode, to=None):
    """As a request does it: with a row of its own."""
    return lambda: caseload_transfer.transfer(
        moves=[Move(Episode.objects.get(pk=episode.pk), to or clinic.carl)],
        on=timezone.localdate(),
        by=clinic.adam,
    )


def test_a_rating_that_is_handed_in_during_a_transfer_is_in_the_former_course_once_and_somebody_is_told(
    clinic,
):
    for n in range(ROUNDS):
        episode = cast.episode(clinic.olga, f"R-{n}")
        grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(episode), by=clinic.olga)
        outcomes = at_once(transferring(clinic, episode), handing_in(grant, 330), handing_in(grant, 330))
        assert unexpected(outcomes) == []
        rating = Rating.objects.get(session__episode__client=episode.client)
        assert rating.session.episode == episode
        episode.refresh_from_db()
        closing = episode.closings.get()
        told = LateMarks.objects.filter(session=rating.session).exists()
        assert told == (closing.forms_left_out == 1), (
            "either the transfer left the form out, or it saw the rating"
        )


def test_two_administrators_who_transfer_one_client_transfer_them_once(clinic):
    otto = cast.person("Otto", "therapist")
    for n in range(ROUNDS):
        episode = cast.episode(clinic.olga, f"R-{n}")
        outcomes = at_once(transferring(clinic, episode), transferring(clinic, episode, to=otto))
        assert len(unexpected(outcomes, Refused)) == 0
        assert sum(isinstance(one, Refused) for one in outcomes) == 1
        assert Episode.objects.open().filter(client=episode.client).count() == 1


def test_two_caseloads_in_opposite_directions_do_not_wait_for_each_other(clinic):
    for n in range(ROUNDS):
        olgas = [cast.episode(clinic.olga, f"O-{n}-{place}") for place in range(3)]
        carls = [cast.episode(clinic.carl, f"C-{n}-{place}") for place in range(3)]
        one = [Move(row, clinic.carl) for row in olgas] + [Move(row, clinic.olga) for row in carls]
        transfers = [
            lambda moves=moves: caseload_transfer.transfer(
                moves=moves, on=timezone.localdate(), by=clinic.adam
            )
            for moves in (one, one[::-1])
        ]
        outcomes = at_once(*transfers)
        assert unexpected(outcomes, Refused) == []
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 1


def test_a_note_of_the_former_therapist_is_stored_before_the_transfer_or_refused(clinic):
    for n in range(ROUNDS):
        episode = cast.episode(clinic.olga, f"R-{n}")
        *_, last = cast.rated_course(episode, [380, 330])
        note = lambda last=last: discussion_actions.discuss(  # noqa: E731
            flags=last.flags.all(), said="x", agreed="", by=clinic.olga
        )
        outcomes = at_once(transferring(clinic, episode), note)
        assert unexpected(outcomes, Refused) == []
        stored = Discussion.objects.filter(session__episode=episode).exists()
        assert stored != isinstance(outcomes[1], Refused)
        episode.refresh_from_db()
        assert episode.ending == Ending.TRANSFERRED


def test_nobody_opens_an_episode_with_a_therapist_who_is_leaving(clinic):
    for n in range(ROUNDS):
        person = cast.person(f"Leaver{n}", "therapist")
        client = cast.episode(clinic.olga, f"R-{n}").client
        leaving = lambda person=person: staff_actions.change_person(  # noqa: E731
            person=User.objects.get(pk=person.pk), name="Gone", roles=set(), is_active=False, by=clinic.adam
        )
        opening = lambda person=person, client=client: actions.open_episode(  # noqa: E731
            client=client, therapist=person, opened_on=timezone.localdate(), by=clinic.adam
        )
        assert unexpected(at_once(leaving, opening), Refused) == []
        assert not Episode.objects.unseen().exists()


@pytest.mark.postgresql
def test_control_without_the_lock_of_staff_somebody_leaves_an_episode_unseen(clinic, monkeypatch):
    """Both look before either writes."""
    person = cast.person("Leaver", "therapist")
    looked = threading.Barrier(2, timeout=MEET_WITHIN)

    def looks_then_waits(*people):
        found = {row.pk: row for row in User.objects.filter(pk__in=[one.pk for one in people])}
        looked.wait()
        return found

    open_ones = Episode.objects.open().filter(therapist=person)
    assert not open_ones.exists()
    monkeypatch.setattr(actions, "lock_staff", looks_then_waits)
    monkeypatch.setattr(staff_actions, "lock_staff", looks_then_waits)
    # The one who leaves looks for open episodes while the other has not written its own yet.
    written = threading.Event()
    create = Episode.objects.create

    def creates_late(**fields):
        written.wait(2)
        return create(**fields)

    monkeypatch.setattr(Episode.objects, "create", creates_late)
    at_once(
        lambda: staff_actions.change_person(
            person=User.objects.get(pk=person.pk), name="Gone", roles=set(), is_active=False, by=clinic.adam
        ),
        lambda: actions.open_episode(
            client=clinic.olgas.client, therapist=person, opened_on=timezone.localdate(), by=clinic.adam
        ),
    )
    assert Episode.objects.unseen().exists()


@pytest.mark.postgresql
def test_control_without_the_lock_a_note_is_written_into_a_course_that_is_over(clinic, monkeypatch):
    *_, last = cast.rated_course(clinic.olgas, [380, 330])
    looked, closed = threading.Event(), threading.Event()

    def looks_then_waits(episode_id):
        episode = Episode.objects.get(pk=episode_id)
        looked.set()
        closed.wait(MEET_WITHIN)
        return episode

    def transfers():
        looked.wait(MEET_WITHIN)
        transferring(clinic, clinic.olgas)()
        closed.set()

    monkeypatch.setattr(lock, "lock_episode", looks_then_waits)
    at_once(
        lambda: discussion_actions.discuss(flags=last.flags.all(), said="x", agreed="", by=clinic.olga),
        transfers,
    )
    assert Discussion.objects.exists()
    assert not Episode.objects.get(pk=clinic.olgas.pk).is_open


@pytest.mark.postgresql
def test_control_without_the_lock_a_rating_arrives_behind_the_transfer_and_nobody_is_told(
    clinic, monkeypatch
):
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    looked, closed = threading.Event(), threading.Event()

    def looks_then_waits(grant):
        rows = EpisodeStanding.objects.filter(episode=grant.session.episode_id)
        before = {row.pk: row for row in rows.select_related("episode__client")}
        looked.set()
        closed.wait(MEET_WITHIN)
        return before

    def transfers():
        looked.wait(MEET_WITHIN)
        transferring(clinic, clinic.olgas)()
        closed.set()

    monkeypatch.setattr(record_rating.standing, "lock_of_grant", looks_then_waits)
    at_once(handing_in(grant, 330), transfers)
    assert clinic.olgas.closings.get().forms_left_out == 1
    assert Rating.objects.exists()
    assert not LateMarks.objects.exists()
