"""A sign-in on a browser that is new to a person is told to that person; and sessions without a second factor."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.models import BrowserSession
from tests import cast
from tests.alliance.sign_in import SECURITY, give_an_app, sign_in

pytestmark = pytest.mark.django_db
SUBJECT = "A sign-in on a browser that is new"


def told() -> list[list[str]]:
    return [one.to for one in mail.outbox if one.subject == SUBJECT]


def test_a_strangers_sign_in_with_my_password_is_told_to_me(clinic):
    mine = Browser()
    assert sign_in(mine, clinic.olga.email)
    assert told() == [], "the first sign-in of all is expected"
    mine.post(reverse("account_logout"))
    assert sign_in(mine, clinic.olga.email)
    assert told() == [], "a known browser is not"
    assert sign_in(Browser(), clinic.olga.email, REMOTE_ADDR="203.0.113.9")
    assert told() == [[clinic.olga.email]]
    assert "203.0.113.9" in mail.outbox[-1].body
    assert "203.0.113.9" in mine.get(reverse("usersessions_list")).text
    other = Browser()
    assert sign_in(other, clinic.carl.email)
    assert "203.0.113.9" not in other.get(reverse("usersessions_list")).text


def test_who_tells_is_the_sign_in_that_is_complete_and_no_password_alone(clinic):
    assert sign_in(Browser(), clinic.olga.email)
    give_an_app(clinic.olga)
    assert not sign_in(Browser(), clinic.olga.email)
    assert told() == []


class TestWithoutASecondFactor:
    @pytest.fixture(autouse=True)
    def _required(self, settings):
        settings.SECOND_FACTOR_REQUIRED = True

    def enter(self, clinic) -> Browser:
        browser = Browser()
        browser.post(reverse("account_login"), {"login": clinic.olga.email, "password": cast.PASSWORD})
        return browser

    def test_sessions_do_not_grow_in_number(self, clinic):
        browsers = [self.enter(clinic) for _ in range(4)]
        assert [one.get(SECURITY).status_code for one in browsers] == [302, 302, 302, 200]
        assert BrowserSession.objects.filter(person=clinic.olga).count() == 1

    def test_nor_in_age_however_often_somebody_looks(self, clinic, time_machine):
        start = timezone.now()
        time_machine.move_to(start, tick=False)
        browser = self.enter(clinic)
        for minutes in (0, 4, 8):
            time_machine.move_to(start + timedelta(minutes=minutes), tick=False)
            assert browser.get(SECURITY).status_code == 200
        time_machine.move_to(start + timedelta(minutes=11), tick=False)
        assert browser.get(SECURITY).status_code == 302

    def test_with_one_they_last_and_stand_beside_each_other(self, clinic, time_machine):
        give_an_app(clinic.olga)
        start = timezone.now()
        time_machine.move_to(start, tick=False)
        backend = "allauth.account.auth_backends.AuthenticationBackend"
        browsers = [Browser(), Browser()]
        for browser in browsers:
            browser.force_login(clinic.olga, backend=backend)
            browser.get(SECURITY)
        time_machine.move_to(start + timedelta(minutes=11), tick=False)
        assert [one.get(SECURITY).status_code for one in browsers] == [200, 200]
