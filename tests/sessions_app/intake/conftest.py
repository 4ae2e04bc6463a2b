"""A form in a client's hands: handed over, or in a room."""

import pytest

from sessions_app.intake import hand_over_actions
from tests import cast
from tests.sessions_app.intake.rate_form import put_lock


@pytest.fixture
def grant(clinic, client):
    """Olga has handed `client` over for K-1."""
    grant, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    put_lock(client, token)
    grant.token = token
    return grant
