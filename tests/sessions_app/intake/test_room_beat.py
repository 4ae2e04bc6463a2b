"""How often the tablet of a room asks: briskly where somebody may send a form any moment, else seldom."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from sessions_app.courses.grants import RatingGrant
from sessions_app.intake import hand_over_actions, sending_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.room_tablets import BRISKLY, IS_NEW_FOR, SELDOM, SENT_LATELY
from tests import cast
from tests.sessions_app.intake.pairing import FORM, ROOM, START, WAITING, paired
from tests.sessions_app.intake.rate_form import marks

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def room(clinic, time_machine):
    """Paired in the morning; nobody sent anything to it yet."""
    time_machine.move_to(timezone.now(), tick=False)
    browser = paired(clinic)
    time_machine.shift(IS_NEW_FOR)
    return browser


@pytest.fixture
def used_by_olga(clinic, room, time_machine):
    """She sent a form to it last week, and the client handed in."""
    cast.sent(cast.therapy_session(clinic.olgas), tablet=room.row, by=clinic.olga)
    room.post(START)
    room.post(FORM, marks(), follow=True)
    time_machine.shift(timedelta(days=7))
    return room


def signed_in(person) -> Browser:
    browser = Browser()
    browser.force_login(person, backend=BACKEND)
    assert browser.get(reverse("tablets:list")).status_code == 200
    return browser


def again(room):
    return room.get(WAITING).json()


def test_a_tablet_that_nobody_sends_to_asks_seldom(clinic, room):
    signed_in(clinic.olga)
    assert again(room) == {"state": "waiting", "again": SELDOM}


def test_one_that_was_paired_just_now_asks_briskly(clinic):
    assert again(paired(clinic)) == {"state": "waiting", "again": BRISKLY}


def test_so_does_one_that_shows_a_form_or_should(clinic, room):
    cast.sent(cast.therapy_session(clinic.olgas), tablet=room.row, by=clinic.olga)
    assert again(room) == {"state": "sent", "again": BRISKLY}
    room.post(START)
    assert again(room) == {"state": "filling", "again": BRISKLY}


def test_and_one_whose_sender_is_signed_in(clinic, used_by_olga):
    assert again(used_by_olga)["again"] == SELDOM
    signed_in(clinic.carl)
    assert again(used_by_olga)["again"] == SELDOM
    signed_in(clinic.olga)
    assert again(used_by_olga)["again"] == BRISKLY


def test_until_they_sign_out(clinic, used_by_olga):
    signed_in(clinic.olga).post(reverse("account_logout"))
    assert again(used_by_olga)["again"] == SELDOM


def test_or_were_away_from_the_screen_as_long_as_a_sign_in_lasts(
    clinic, used_by_olga, time_machine, settings
):
    browser = signed_in(clinic.olga)
    poll = {"X-Poll": "1", "HX-Request": "true"}
    time_machine.shift(timedelta(minutes=settings.IDLE_MINUTES, seconds=-1))
    browser.get(reverse("dashboard:work_list"), headers=poll)
    assert again(used_by_olga)["again"] == BRISKLY
    time_machine.shift(timedelta(seconds=1))
    assert again(used_by_olga)["again"] == SELDOM


def test_somebody_who_sent_weeks_ago_is_not_waited_for(clinic, used_by_olga, time_machine):
    time_machine.shift(SENT_LATELY)
    signed_in(clinic.olga)
    assert again(used_by_olga)["again"] == SELDOM


def test_each_tablet_has_its_own_senders(clinic, used_by_olga, time_machine):
    other = paired(clinic, "Room 4")
    time_machine.shift(IS_NEW_FOR)
    signed_in(clinic.olga)
    assert [again(browser)["again"] for browser in (used_by_olga, other)] == [BRISKLY, SELDOM]


def taken_back(grant, clinic):
    hand_over_actions.take_back(grant=grant, by=clinic.olga)


def entered_from_paper(grant, clinic):
    enter_rating(session=grant.session, answers=cast.answers(380), channel="paper", by=clinic.olga)


def past_its_time(grant, clinic):
    RatingGrant.objects.filter(pk=grant.pk).update(open_until=timezone.now())


def revoked(grant, clinic):
    sending_actions.revoke(tablet=grant.paired_tablet, by=clinic.olga)


@pytest.mark.parametrize("end", [taken_back, entered_from_paper, past_its_time, revoked])
def test_what_it_is_told_is_what_its_page_shows(clinic, room, end):
    """The answer comes with the tablet in one query, and its page looks for itself."""
    grant = cast.sent(cast.therapy_session(clinic.olgas), tablet=room.row, by=clinic.olga)
    assert (again(room)["state"], "Your form is ready." in room.get(ROOM).text) == ("sent", True)
    end(grant, clinic)
    state = again(room)["state"]
    assert state == ("revoked" if end is revoked else "waiting")
    assert ("no longer paired" in room.get(ROOM).text) == (end is revoked)
