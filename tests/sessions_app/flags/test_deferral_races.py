"""Two presses, two tabs, a talk meanwhile: with real threads, on both databases."""

import threading

import pytest

from alliance.refused import Refused
from clients.models import Episode
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.intake.test_races import MEET_WITHIN, ROUNDS, at_once, unexpected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("former_list")]


@pytest.fixture
def flags(clinic):
    return list(cast.rated_course(clinic.olgas, [380, 330])[-1].flags.all())


def deciding(clinic, flags, kind="later"):
    return lambda: deferral_actions.defer(
        episode=clinic.olgas, flags=flags, kind=kind, why="x", by=clinic.olga
    )


def test_many_presses_are_one_decision(clinic, flags):
    outcomes = at_once(*[deciding(clinic, flags)] * 6)
    assert unexpected(outcomes) == []
    assert {one.pk for one in outcomes} == {Deferral.objects.get().pk}


def test_two_tabs_that_decide_differently_leave_one_decision(clinic, flags):
    for _ in range(ROUNDS):
        outcomes = at_once(deciding(clinic, flags), deciding(clinic, flags, "not_needed"))
        assert len(unexpected(outcomes, Refused)) == 0
        assert sum(isinstance(one, Refused) for one in outcomes) == 1
        deferral_actions.undo(deferral=Deferral.objects.standing().get(), by=clinic.olga)


def test_a_talk_meanwhile_loses_nothing(clinic, flags):
    """Whichever comes first, the words of the talk are kept and the flags call no more."""
    talk = {"flags": flags, "said": "x", "agreed": "", "by": clinic.olga}
    outcomes = at_once(deciding(clinic, flags), lambda: discussion_actions.discuss(**talk))
    assert unexpected(outcomes, Refused) == []
    assert Discussion.objects.count() == 1
    assert not answered.calling().exists()


@pytest.mark.postgresql
def test_control_without_the_lock_two_presses_are_two_decisions(clinic, flags, monkeypatch):
    """Both look before either writes."""
    looked, calling = threading.Barrier(2, timeout=MEET_WITHIN), deferral_actions._calling

    def looks_then_waits(episode, named):
        found = calling(episode, named)
        looked.wait()
        return found

    monkeypatch.setattr(deferral_actions, "lock_open_episode", lambda pk: Episode.objects.get(pk=pk))
    monkeypatch.setattr(deferral_actions, "_calling", looks_then_waits)
    assert unexpected(at_once(*[deciding(clinic, flags)] * 2)) == []
    assert Deferral.objects.count() == 2
