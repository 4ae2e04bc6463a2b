"""Questionnaires beside the alliance rating, on our own form: any instrument can be one."""

import pytest

from alliance.measurement import instruments
from sessions_app.courses.raters import Rater
from sessions_app.intake import hand_over_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from tests import cast
from tests.sessions_app.intake.rate_form import put_lock


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def give(clinic, client, session):
    """Hand `client` over with the rating of the session, or without, and then questionnaires."""

    def give(count=1, *, rating=True):
        form = instruments.get("session-rating")
        forms = Forms(
            rating, tuple(ToFillIn(form, rater) for rater in [Rater.CLIENT, Rater.CAREGIVER][:count])
        )
        grant, token = hand_over_actions.hand_over(session=session, by=clinic.olga, forms=forms)
        put_lock(client, token)
        return grant

    return give
