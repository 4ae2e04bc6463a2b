"""Several who compute the flags again at once, and clients who rate meanwhile; on both databases."""

import threading
from dataclasses import replace

import pytest
from django.db import OperationalError, connection, transaction

from alliance.measurement import instruments
from alliance.refused import Refused
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses.models import Rating
from sessions_app.flags import conclude, recompute
from sessions_app.flags.models import Flag
from sessions_app.flags.recomputations import Recomputation
from sessions_app.instruments import rule_settings
from sessions_app.intake import hand_over_actions
from sessions_app.rulebook import settings_actions
from sessions_app.rulebook.rule_forms import RulesForm
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, behind, handing_in, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
OURS = instruments.get(instruments.SESSION_RATING)


@pytest.fixture
def courses(clinic):
    episodes = [clinic.olgas, clinic.carls, *(cast.episode(clinic.carl, f"M-{n}") for n in range(6))]
    for episode in episodes:
        cast.rated_course(episode, [380, 350])
    return episodes


def to_the_end(size):
    return lambda: list(recompute.go_on(size=size))


def as_it_should_be():
    """Each flag once, and a further computation finds nothing to change."""
    keys = list(Flag.objects.values_list("session", "instrument", "rule"))
    assert len(keys) == len(set(keys))
    assert conclude.conclude_many(episodes=list(Episode.objects.values_list("pk", flat=True))) == 0


def test_two_who_run_at_once_do_no_harm(clinic, courses):
    for cutoff in (340, 360, 330):
        cast.choose_rules(clinic.adam, cutoff=cutoff)
        assert unexpected(at_once(to_the_end(2), to_the_end(3), to_the_end(2))) == []
        run = Recomputation.objects.order_by("-pk").first()
        assert (run.done, run.episodes) == (8, 8)
        assert run.finished_at is not None
        as_it_should_be()


def test_ratings_meanwhile_are_stored_and_judged_by_the_newest(clinic, courses):
    grants = [
        hand_over_actions.hand_over(session=cast.therapy_session(episode), by=episode.therapist)[0]
        for episode in courses
    ]
    cast.choose_rules(clinic.adam, cutoff=340)
    outcomes = at_once(to_the_end(3), *(handing_in(grant, 345) for grant in grants))
    assert unexpected(outcomes) == []
    assert not Flag.objects.standing().filter(rule="A").exists()
    as_it_should_be()


def test_rules_changed_meanwhile_win(clinic, courses):
    cast.choose_rules(clinic.adam, cutoff=340)
    change = lambda: cast.choose_rules(clinic.adam, cutoff=351)  # noqa: E731
    assert unexpected(at_once(to_the_end(2), change, to_the_end(3))) == []
    list(recompute.go_on())
    assert not Recomputation.objects.unfinished().exists()
    assert {flag.evidence["cutoff"] for flag in Flag.objects.standing().filter(rule="A")} == {351}
    as_it_should_be()


def test_two_administrators_at_once_save_one_version_and_begin_one_run(clinic):
    def saving(cutoff):
        parameters = replace(OURS.parameters, cutoff=cutoff)
        form = RulesForm(rules=rule_settings.in_force(), instrument=OURS, language="")
        opened_with = form.fields["opened_with"].clean(form["opened_with"].value())
        about = {"instrument": OURS, "language": "", "parameters": parameters}
        return lambda: settings_actions.change_rules(**about, by=clinic.adam, opened_with=opened_with)

    outcomes = at_once(saving(340), saving(330))
    assert [isinstance(one, Refused) for one in outcomes].count(True) == 1
    assert unexpected(outcomes, Refused) == []
    assert Recomputation.objects.count() == 1


def note_without_waiting(run, episodes, changed):
    """As `recompute._note`, but what is done is added to what was read, with no look at the row as it is."""
    now = Recomputation.objects.get(pk=run.pk)
    both_have_read.wait()
    Recomputation.objects.filter(pk=run.pk).update(
        last_episode=episodes[-1], done=now.done + len(episodes), changed=now.changed + changed
    )
    return Recomputation.objects.get(pk=run.pk)


both_have_read = threading.Barrier(2, timeout=MEET_WITHIN)


def test_control_notes_that_do_not_wait_for_each_other_lose_what_is_done(clinic, courses):
    """With `_note` two different batches are both counted; without its lock one of them is lost."""
    cast.choose_rules(clinic.adam, cutoff=340)
    run = recompute.pending()
    pks = sorted(episode.pk for episode in courses)
    batches = (pks[:4], pks[4:])
    at_once(*(lambda batch=batch: note_without_waiting(run, batch, 1) for batch in batches))
    assert Recomputation.objects.get().done == 4
    Recomputation.objects.update(done=0, last_episode=0)
    recompute._note(run, batches[0], 1)
    recompute._note(run, batches[0], 1)
    assert recompute._note(run, batches[1], 1).done == 8


# --- One after the other, as threads that start at once meet only by luck --------------------------


@pytest.mark.postgresql
def test_a_batch_waits_for_a_rating_that_was_judged_by_older_rules(clinic, courses):
    """Else it passes the episode without seeing the rating, and nobody comes by again."""
    session = cast.therapy_session(courses[0])
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)

    def recomputed():
        cast.choose_rules(clinic.adam, cutoff=340)
        list(recompute.go_on(size=3))

    with behind(handing_in(grant, 350), recomputed):
        assert not session.flags.exists()
    assert Rating.objects.filter(session=session).exists()
    assert not Flag.objects.standing().filter(rule="A").exists()
    as_it_should_be()


@pytest.mark.postgresql
def test_whoever_waited_reads_the_rules_afterwards(clinic, courses):
    """Else a rating that waits for a batch under new rules would then be judged by the old ones."""
    one = courses[0]
    with behind(lambda: lock_episode(one.pk), lambda: conclude.conclude_many(episodes=[one.pk])):
        cast.choose_rules(clinic.adam, cutoff=340)
    assert not Flag.objects.standing().filter(rule="A", session__episode=one).exists()


@pytest.mark.postgresql
def test_a_note_waits_for_the_note_before_it(clinic, courses):
    cast.choose_rules(clinic.adam, cutoff=340)
    run = recompute.pending()
    pks = sorted(episode.pk for episode in courses)
    with behind(lambda: recompute._note(run, pks[:4], 1), lambda: recompute._note(run, pks[4:], 1)):
        pass
    now = Recomputation.objects.get()
    assert (now.done, now.changed, now.last_episode) == (8, 2, pks[-1])


@pytest.mark.postgresql
def test_control_two_orders_of_waiting_end_one_of_them(clinic, courses):
    """What the order of `lock_episodes` spares the ratings: with two orders the database ends somebody."""
    pks = sorted(episode.pk for episode in courses)[:2]
    both_wait = threading.Barrier(2, timeout=MEET_WITHIN)

    def lock(order):
        with transaction.atomic():
            Episode.objects.select_for_update().get(pk=order[0])
            both_wait.wait()
            Episode.objects.select_for_update().get(pk=order[1])

    outcomes = at_once(lambda: lock(pks), lambda: lock(pks[::-1]))
    assert len(unexpected(outcomes)) == 1
    assert isinstance(unexpected(outcomes)[0], OperationalError)
    assert connection.vendor == "postgresql"
    in_order = at_once(*[lambda: conclude.conclude_many(episodes=pks[::-1])] * 4)
    assert unexpected(in_order) == []
