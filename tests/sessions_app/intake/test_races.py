"""What must hold whatever races, with real threads and real connections, on both databases."""

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alliance.refused import Refused
from clients.lock import lock_episode
from sessions_app.courses.grants import RatingGrant, RatingGrantQuerySet
from sessions_app.courses.models import Mode, Rating, SetAsideRating, TherapySession
from sessions_app.flags import checks, discussion_actions
from sessions_app.flags.conclude import conclude
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion, Flag
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5
MEET_WITHIN = 30  # seconds; where one of them failed, the others say so instead of waiting for ever


def at_once(*calls: Callable[[], Any]) -> Sequence[Any]:
    """Run the calls in a thread each, started together; what each returned or raised."""
    start, outcomes = threading.Barrier(len(calls), timeout=MEET_WITHIN), [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            start.wait()
            outcomes[place] = call()
        except Exception as error:  # the test looks at it
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def handing_in(grant: RatingGrant, total: int) -> Callable[[], Rating]:
    """As a request does it: with a row of its own."""
    return lambda: record_rating(
        grant=RatingGrant.objects.get(pk=grant.pk), answers=cast.answers(total), mode=Mode.LINE
    )


@contextmanager
def behind(first, then):
    """`first` is done and not committed while `then` begins; it must be over when both are."""
    is_done, may_end = threading.Event(), threading.Event()

    def holding():
        with transaction.atomic():
            first()
            is_done.set()
            may_end.wait(10)

    def following():
        is_done.wait(10)
        then()

    threads = [threading.Thread(target=closing_its_connection(one)) for one in (holding, following)]
    for thread in threads:
        thread.start()
    is_done.wait(10)
    threads[1].join(LONG_ENOUGH)
    yield
    may_end.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


LONG_ENOUGH = 0.7  # seconds, to come to the wait, or past it where there is none


def closing_its_connection(work):
    def whole():
        try:
            work()
        finally:
            connection.close()

    return whole


def unexpected(outcomes: Sequence[Any], *expected: type[Exception]) -> list[Exception]:
    return [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, expected)]


@pytest.fixture
def grant(clinic):
    return hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)[0]


def test_the_same_marks_ten_times_at_once_are_one_rating(grant):
    outcomes = at_once(*[handing_in(grant, 380)] * 10)
    assert unexpected(outcomes) == []
    assert {one.pk for one in outcomes} == {Rating.objects.get().pk}
    assert not SetAsideRating.objects.exists()


def test_two_tabs_with_different_marks_keep_both_and_count_one(clinic):
    for _ in range(ROUNDS):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        outcomes = at_once(handing_in(grant, 380), handing_in(grant, 100))
        assert unexpected(outcomes, NotStored) == []
        totals = [
            Rating.objects.get(grant=grant).total,
            sum(SetAsideRating.objects.get(grant=grant).answers.values()),
        ]
        assert sorted(totals) == [100, 380]


def test_a_rating_is_no_victim_of_what_the_therapist_does_meanwhile(clinic):
    now = timezone.now()
    move = {"modality": "phone", "attendance": "attended", "by": clinic.olga}
    for place in range(ROUNDS):
        minutes = timedelta(minutes=place)
        first, session = (cast.therapy_session(clinic.olgas, ago=timedelta(hours=hours)) for hours in (2, 1))
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        outcomes = at_once(
            handing_in(grant, 330),
            lambda first=first, minutes=minutes: session_actions.change_session(
                session=first, held_at=now - minutes, **move
            ),
            lambda minutes=minutes: session_actions.add_session(
                episode=clinic.olgas, held_at=now - timedelta(days=9) - minutes, by=clinic.olga
            ),
            lambda: conclude(episode=clinic.olgas),
        )
        assert unexpected(outcomes) == []
        assert Rating.objects.filter(grant=grant).exists()
    numbers = list(TherapySession.objects.order_by("held_at", "number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_hand_over_pressed_four_times_is_one_session_and_one_grant_to_wait_for(clinic):
    outcomes = at_once(*[lambda: hand_over_actions.hand_over_now(episode=clinic.olgas, by=clinic.olga)] * 4)
    assert unexpected(outcomes) == []
    assert TherapySession.objects.count() == 1
    assert RatingGrant.objects.awaiting(timezone.now()).count() == 1


def test_a_conversation_noted_four_times_at_once_is_one(clinic):
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 330)
    flags = list(session.flags.all())
    note = {"said": "Too fast.", "agreed": "Slower.", "by": clinic.olga}
    outcomes = at_once(*[lambda: discussion_actions.discuss(flags=flags, **note)] * 4)
    assert unexpected(outcomes) == []
    assert len({one.pk for one in outcomes}) == 1
    assert discussion_actions.discuss(flags=flags, **{**note, "said": "Also too loud."}) not in outcomes
    assert Discussion.objects.count() == 2


def test_paper_and_tablet_at_once_are_one_rating_and_nothing_is_lost(clinic, grant):
    paper = {"session": grant.session, "answers": cast.answers(300), "channel": "paper", "by": clinic.olga}
    outcomes = at_once(handing_in(grant, 380), lambda: enter_rating(**paper))
    assert unexpected(outcomes, Refused, NotStored) == []
    assert Rating.objects.count() == 1
    # Either the paper came first and the tablet's marks are kept aside, or the therapist was told at once.
    assert SetAsideRating.objects.count() + sum(isinstance(one, Refused) for one in outcomes) == 1


class TestAHandOverThatIsTakenBackWhileMarksWait:
    """The lock, the standing and the grant are read in one statement, which began before the withdrawal was written."""

    def outcome(self, grant, clinic):
        """What became of marks that wait for somebody who takes the hand-over back."""
        outcomes = []
        handing = handing_in(grant, 380)
        row = RatingGrant.objects.get(pk=grant.pk)
        with behind(
            lambda: hand_over_actions.take_back(grant=row, by=clinic.olga),
            lambda: outcomes.extend(at_once(handing)),
        ):
            assert outcomes == [], "they wait"
        return outcomes[0]

    @pytest.mark.postgresql
    @pytest.mark.parametrize("has_standing", [True, False])
    def test_they_are_set_aside(self, clinic, grant, has_standing):
        if not has_standing:
            EpisodeStanding.objects.all().delete()
        outcome = self.outcome(grant, clinic)
        assert isinstance(outcome, NotStored)
        assert outcome.reason == SetAsideRating.Reason.WITHDRAWN
        assert (Rating.objects.count(), SetAsideRating.objects.count()) == (0, 1)

    @pytest.mark.postgresql
    def test_control_without_the_lock_of_the_grant_it_is_read_as_it_was(self, clinic, grant, monkeypatch):
        whole = RatingGrantQuerySet.select_for_update

        def without_the_grant(self, of):
            return whole(self, of=of[:-1])

        monkeypatch.setattr(RatingGrantQuerySet, "select_for_update", without_the_grant)
        assert isinstance(self.outcome(grant, clinic), Rating)


@pytest.mark.postgresql
def test_marks_that_waited_are_judged_by_the_rules_of_afterwards(clinic):
    """Else a rating that waits for a batch under new rules would then be judged by the old ones."""
    cast.rated_course(clinic.olgas, [380, 370])
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    with behind(lambda: lock_episode(clinic.olgas.pk), handing_in(grant, 350)):
        cast.choose_rules(clinic.adam, cutoff=340)
    assert Rating.objects.filter(grant=grant).exists()
    assert not Flag.objects.standing().filter(rule="A", session=session).exists()
    assert EpisodeStanding.objects.get(episode=clinic.olgas).settings_version == "version-1"


@pytest.mark.postgresql
def test_a_standing_that_was_written_while_marks_waited_is_counted_on_from(clinic):
    """A therapist adds a session meanwhile: read as it was before the wait, its day would count twice."""
    cast.rated_course(clinic.olgas, [380, 370])
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    add = {"held_at": timezone.now() - timedelta(days=40), "attendance": "attended", "by": clinic.olga}
    with behind(lambda: session_actions.add_session(episode=clinic.olgas, **add), handing_in(grant, 350)):
        assert not Rating.objects.filter(grant=grant).exists()
    assert Rating.objects.filter(grant=grant).exists()
    assert [*checks.differing([clinic.olgas.pk]), *checks.differing_days()] == []


def test_an_error_of_ours_stores_nothing_and_passes_for_no_dispute(grant, monkeypatch):
    def fails(*_, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr("sessions_app.intake.record_rating.conclude_locked", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        handing_in(grant, 380)()
    assert (Rating.objects.count(), SetAsideRating.objects.count(), Flag.objects.count()) == (0, 0, 0)


@pytest.mark.postgresql
@pytest.mark.usefixtures("as_owner")
def test_control_check_then_insert_doubles():
    """Without constraint and lock the same race stores twice: the tests above would see it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive (key text)")
    looked = threading.Barrier(2, timeout=MEET_WITHIN)

    def check_then_insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM naive WHERE key = 'one'")
            is_there = cursor.fetchone()[0]
            looked.wait()
            if not is_there:
                cursor.execute("INSERT INTO naive VALUES ('one')")

    try:
        assert unexpected(at_once(check_then_insert, check_then_insert)) == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM naive")
            assert cursor.fetchone()[0] == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE naive")
