"""Who is signed in costs one query, and what is taken away is gone at the next request."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import BrowserSession, User
from alliance.session_store import SessionStore
from tests import cast

pytestmark = pytest.mark.django_db

EMPTY = reverse("rules:conversation")
STILL_HERE = reverse("still_here")


@pytest.fixture(autouse=True)
def _second_factor(settings):
    settings.SECOND_FACTOR_REQUIRED = True


@pytest.fixture
def olga(clinic, sign_in) -> Browser:
    Authenticator.objects.create(user=clinic.olga, type=Authenticator.Type.TOTP, data={"secret": "x"})
    browser = sign_in(clinic.olga)
    assert browser.get(reverse("tablets:list")).status_code == 200
    return browser


def leads_to(browser):
    answer = browser.get(reverse("tablets:list"))
    return answer.status_code, answer.headers.get("Location", "").partition("?")[0]


class TestCost:
    def test_a_page_with_nothing_on_it_asks_one_query(self, olga):
        with CaptureQueriesContext(connection) as queries:
            assert olga.get(EMPTY).status_code == 200
        assert [query["sql"].split()[0] for query in queries] == ["SELECT"]

    def test_second_factor_and_roles_add_none(self, olga):
        with CaptureQueriesContext(connection) as queries:
            assert olga.get(reverse("tablets:pair")).status_code == 200
        about_her = [query["sql"] for query in queries if "alliance_user" in query["sql"]]
        assert len(about_her) == 1
        assert not [query for query in queries if query["sql"].count("mfa_authenticator") > 1]

    def test_a_page_is_noted_once_a_minute(self, olga, time_machine):
        time_machine.move_to(timezone.now() + timedelta(minutes=2), tick=False)
        written = []
        for seconds in (0, 30, 29, 1, 59):
            time_machine.shift(timedelta(seconds=seconds))
            with CaptureQueriesContext(connection) as queries:
                olga.get(EMPTY)
            written.append(any(query["sql"].startswith("UPDATE") for query in queries))
        assert written == [True, False, False, True, False]


class TestBeingThere:
    def test_the_page_is_told_how_old_the_last_note_is(self, olga, time_machine):
        """Its warning counts from there: the server ends the sign-in a quarter of an hour after the note."""
        time_machine.move_to(timezone.now() + timedelta(minutes=2), tick=False)
        seconds = []
        for shift in (0, 45, 45):
            time_machine.shift(timedelta(seconds=shift))
            seconds.append(re.search(r'data-minutes="15" data-seconds="(\d+)"', olga.get(EMPTY).text)[1])
        assert seconds == ["0", "45", "0"]

    def test_to_say_so_is_noted_at_once(self, olga, time_machine):
        time_machine.move_to(timezone.now() + timedelta(minutes=2), tick=False)
        olga.get(EMPTY)
        time_machine.shift(timedelta(seconds=50))
        assert olga.post(STILL_HERE).status_code == 204
        assert olga.session["seen_at"] == timezone.now().isoformat()


class TestWhatIsTakenAway:
    def test_the_second_factor(self, clinic, olga):
        Authenticator.objects.all().delete()
        assert leads_to(olga) == (303, reverse("mfa_index"))

    def test_and_another_persons_second_factor_is_none(self, clinic, olga):
        Authenticator.objects.update(user=clinic.carl)
        assert leads_to(olga) == (303, reverse("mfa_index"))

    @pytest.mark.parametrize(
        ("field", "value", "answer"),
        [
            ("is_therapist", False, (403, "")),
            ("is_active", False, (302, reverse("account_login"))),
            ("password", "another", (302, reverse("account_login"))),
        ],
    )
    def test_role_account_and_password(self, clinic, olga, field, value, answer):
        other = Browser()
        other.cookies = olga.cookies
        User.objects.filter(pk=clinic.olga.pk).update(**{field: value})
        assert [leads_to(olga), leads_to(other)] == [answer, answer]

    def test_the_session(self, olga):
        BrowserSession.objects.all().delete()
        assert leads_to(olga) == (302, reverse("account_login"))

    def test_a_session_past_its_time(self, olga):
        BrowserSession.objects.update(expire_date=timezone.now())
        assert leads_to(olga) == (302, reverse("account_login"))

    def test_the_person(self, olga, clinic):
        nobody = cast.person("Norma")
        olga.force_login(nobody, backend="allauth.account.auth_backends.AuthenticationBackend")
        User.objects.filter(pk=nobody.pk).delete()
        assert leads_to(olga) == (302, reverse("account_login"))
        assert not BrowserSession.objects.filter(person=nobody.pk).exists()


class TestWhoseItIs:
    def test_the_row_names_whoever_signed_in(self, clinic, olga):
        assert BrowserSession.objects.get().person == clinic.olga
        olga.post(reverse("account_logout"))
        assert not BrowserSession.objects.filter(person=clinic.olga).exists()

    def test_a_row_that_names_somebody_else_signs_nobody_in_as_them(self, clinic, olga):
        """What was signed in is in the session's own data; the column alone opens nothing."""
        BrowserSession.objects.update(person=clinic.adam)
        answer = olga.get(EMPTY)
        assert (answer.status_code, answer.context["user"].pk) == (200, clinic.olga.pk)
        assert leads_to(olga)[0] == 200

    def test_nor_does_one_whose_data_name_nobody(self, clinic, client):
        held = SessionStore()
        held["device_lock"] = {"token": "", "return_to": ""}
        held.create()
        assert BrowserSession.objects.get().person is None
        BrowserSession.objects.update(person=clinic.olga)
        client.cookies["session"] = held.session_key
        assert client.get(EMPTY).headers["Location"] == reverse("rate:form")

    def test_a_session_signed_under_an_older_key_of_the_site_goes_on(self, olga, settings):
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-" + "1" * 50
        assert leads_to(olga)[0] == 200
        settings.SECRET_KEY_FALLBACKS = []
        assert leads_to(olga)[0] == 200  # signed anew under the present one

    def test_what_came_before_is_read_as_it_was_written(self, olga):
        held = olga.session
        held["words"] = "é “ ü"
        held.save()
        assert SessionStore(held.session_key)["words"] == "é “ ü"
