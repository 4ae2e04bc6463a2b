"""Whoever is unassigned in an open session writes nothing from the next request on, and reads by the stated rule."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from clients import cover_actions
from clients.models import READABLE_FOR
from tests import cast
from tests.alliance.page_table import browser_of, snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(clinic):
    """The last of a course that has fallen, so that there is a flag to talk about."""
    return cast.rated_course(clinic.olgas, [380, 375, 385, 200])[-1]


def page_of(clinic) -> str:
    return reverse("dashboard:client", args=[clinic.olgas.code])


def talk(browser, session) -> int:
    address = reverse("dashboard:discuss", args=[session.code])
    said = {"flag": [str(code) for code in session.flags.values_list("code", flat=True)]}
    said |= {f"talk-{session.code}-said": "We talked.", f"talk-{session.code}-agreed": "Less homework."}
    return browser.post(address, said).status_code


def writes(browser, session) -> bool:
    """The control: as things stand it is written. Nothing of it stays."""
    before, point = snapshot(), transaction.savepoint()
    talk(browser, session)
    changed = snapshot() != before
    transaction.savepoint_rollback(point)
    return changed


def test_at_the_end_of_a_cover_the_colleague_is_out_at_the_next_request(clinic, session):
    today = timezone.localdate()
    (made,) = cover_actions.start(
        episodes=[clinic.olgas], colleague=clinic.carl, starts_on=today, ends_on=today, by=clinic.olga
    )
    browser = browser_of(clinic, "carl")
    assert browser.get(page_of(clinic)).status_code == 200
    assert writes(browser, session)
    cover_actions.end(covers=[made], by=clinic.olga)
    before = snapshot()
    assert (talk(browser, session), browser.get(page_of(clinic)).status_code) == (404, 404)
    assert snapshot() == before


def test_after_a_transfer_the_former_therapist_reads_for_a_time_and_writes_nothing(
    clinic, session, time_machine
):
    browser = browser_of(clinic, "olga")
    assert browser.get(page_of(clinic)).status_code == 200
    assert writes(browser, session)
    cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
    before = snapshot()
    talk(browser, session)
    assert snapshot() == before
    assert browser.get(page_of(clinic)).status_code == 200
    time_machine.move_to(timezone.now() + READABLE_FOR + timedelta(days=1))
    later, before = browser_of(clinic, "olga"), snapshot()
    assert later.get(page_of(clinic)).status_code == 404
    assert talk(later, session) == 404
    assert snapshot() == before
