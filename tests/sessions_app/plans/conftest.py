"""A clinic that plans forms: which, for whom, when, as an administrator or the therapist says it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from sessions_app.plans import choice_actions, plan_actions
from tests import cast


def on_now(episode, **fields):
    """A session that began a minute ago and goes on."""
    return cast.therapy_session(episode, ago=timedelta(minutes=1), **fields)


EVERYBODY = {"for_whom": "clinic", "age_band": "", "therapists": [], "supervisor": ""}
AT_EACH_START = {"moment": "start", "frequency": "each", "every": None, "numbers": ""}
AT_EACH_END = {**AT_EACH_START, "moment": "end"}
AT_3_AND_9 = {"moment": "end", "frequency": "chosen", "every": None, "numbers": "3,9"}
AS_RATING = {"moment": "rating", "frequency": "each", "every": None, "numbers": ""}


@pytest.fixture
def plan(clinic):
    """Adam plans a form: plan("life-lines", moment="end", ...)."""

    def plan(instrument="life-lines", **says):
        words = {"instrument": instrument, **EVERYBODY, **AT_EACH_START, **says}
        return plan_actions.plan_form(by=clinic.adam, **words)

    return plan


@pytest.fixture
def course(clinic):
    """Olga chooses for K-1."""

    def give(instrument="life-lines", why="She asked for it", **says):
        timing = {**AT_EACH_START, **says}
        return choice_actions.give_in_course(
            episode=clinic.olgas, instrument=instrument, why=why, by=clinic.olga, **timing
        )

    def off(form, why="Too much for him"):
        return choice_actions.switch_off(episode=clinic.olgas, named=form, why=why, by=clinic.olga)

    return SimpleNamespace(give=give, off=off)
