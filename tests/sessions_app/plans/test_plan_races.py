"""Two people who plan at once: with real threads and real connections, on both databases."""

from contextlib import nullcontext

import pytest
from django.db import IntegrityError

from alliance.measurement import instruments
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.plans import choice_actions, plan_actions
from sessions_app.plans.models import PlannedForm
from tests.sessions_app.intake.test_races import at_once, unexpected
from tests.sessions_app.plans.conftest import AS_RATING, AT_EACH_START, EVERYBODY

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5
LIFE = instruments.get("life-lines")


def planning(clinic, instrument="life-lines", **says):
    words = {"instrument": instrument, **EVERYBODY, **AT_EACH_START, **says}
    return lambda: plan_actions.plan_form(by=clinic.adam, **words)


def changing(clinic, row, **says):
    """As a request does it: with a row of its own."""
    return lambda: plan_actions.change_planned(
        planned=PlannedForm.objects.get(pk=row.pk), by=clinic.adam, **{**row.says, **says}
    )


def standing():
    return PlannedForm.objects.standing()


def test_the_same_sentence_twice_at_once_stands_once(clinic):
    for number in range(2, 2 + ROUNDS):
        weeks = {"moment": "start", "frequency": "weeks", "every": number}
        outcomes = at_once(*[planning(clinic, **weeks)] * 3)
        assert unexpected(outcomes, Refused) == []
        assert standing().filter(every=number).count() == 1


def test_two_scales_for_the_same_children_at_once_leave_one(clinic):
    children = {"age_band": "child", **AS_RATING}
    outcomes = at_once(*(planning(clinic, one, **children) for one in ("child-session-rating", "child-srs")))
    assert unexpected(outcomes, Refused) == []
    assert standing().count() == 1


def test_two_who_change_one_row_at_once_leave_one_successor(clinic):
    for number in range(2, 2 + ROUNDS):
        row = planning(clinic, moment="end", frequency="sessions", every=number)()
        changes = (changing(clinic, row, every=40), changing(clinic, row, every=41))
        outcomes = at_once(*changes)
        assert unexpected(outcomes, Refused) == []
        assert standing().count() == 1
        plan_actions.end_planned(planned=standing().get(), by=clinic.adam)


@pytest.mark.postgresql
def test_control_without_the_lock_the_second_meets_the_constraint_instead_of_a_sentence(clinic, monkeypatch):
    """Both read the row before either ends it; the row that the second adds would replace it a second time."""
    row = planning(clinic)()
    read = PlannedForm.objects.get(pk=row.pk)
    monkeypatch.setattr(plan_actions, "_lock", lambda planned, again=False: read)
    monkeypatch.setattr(plan_actions.transaction, "atomic", lambda *args: args[0] if args else nullcontext())
    changing(clinic, row, every=None, moment="end")()
    read.ended_at = None
    with pytest.raises((IntegrityError, Refused)) as met:
        changing(clinic, row, every=None, moment="end", age_band="adult")()
    assert str(met.value) != plan_actions.OVER


def test_two_tabs_that_choose_for_one_client_leave_one_choice(clinic):
    for _ in range(ROUNDS):
        episode = Episode.objects.get(pk=clinic.olgas.pk)
        giving = [
            lambda episode=episode, moment=moment: choice_actions.give_in_course(
                episode=episode,
                instrument="life-lines",
                why=moment,
                by=clinic.olga,
                **{**AT_EACH_START, "moment": moment},
            )
            for moment in ("start", "end")
        ]
        off = lambda episode=episode: choice_actions.switch_off(  # noqa: E731
            episode=episode, named=LIFE, why="Too much", by=clinic.olga
        )
        outcomes = at_once(*giving, off)
        assert unexpected(outcomes, Refused) == []
        (chosen,) = standing().filter(episode=clinic.olgas)
        choice_actions.by_the_plan(chosen=chosen, by=clinic.olga)
