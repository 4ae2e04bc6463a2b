"""A session that wants a rating, and the ways its form can be sent."""

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from sessions_app import demo
from tests import cast, site_role
from tests.sessions_app.caseloads import NOW
from tests.sessions_app.intake.pairing import paired


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


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker):
    """The whole demo once for a module, as it takes seconds; the moment up to which it is written."""
    with django_db_blocker.unblock(), transaction.atomic():
        now = timezone.now()
        with site_role.left_here():  # whoever makes a demo owns its database
            demo.seed(now)
        yield now
        transaction.set_rollback(True)


@pytest.fixture
def today(time_machine):
    """The fixed day of `caseloads`; a module that wants its cast written on it says so by a mark."""
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def overview(clinic, sign_in):
    return lambda person, **parameters: sign_in(person).get(reverse("caseload:overview"), parameters)
