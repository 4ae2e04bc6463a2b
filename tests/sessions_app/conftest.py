"""A session that wants a rating, and the ways its form can be sent."""

import pytest

from tests import cast
from tests.sessions_app.pairing import paired


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def link(session, clinic):
    return cast.link(session, by=clinic.olga)


@pytest.fixture
def room(clinic):
    """The browser of the tablet in room 3; `room.row` is its row."""
    return paired(clinic)


@pytest.fixture
def sent(clinic, room, session):
    return cast.sent(session, tablet=room.row, by=clinic.olga)
