"""After signing in one lands where one was, whatever was under way when the sign-in ended."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from tests import cast
from tests.alliance.sign_in import code as one_time_code
from tests.alliance.sign_in import give_an_app

pytestmark = pytest.mark.django_db
SITE = "http://testserver"
SIGN_IN = reverse("account_login")


@pytest.fixture
def session(clinic):
    *_, low = cast.rated_course(clinic.olgas, [380, 330])
    return low


@pytest.fixture
def page(clinic):
    return reverse("dashboard:client", args=[clinic.olgas.code])


@pytest.fixture
def ended(clinic, sign_in, time_machine, page):
    """Olga's browser, a minute after her sign-in ended by itself."""
    time_machine.move_to(timezone.now(), tick=False)
    browser = sign_in(clinic.olga)
    browser.get(page)
    time_machine.shift(timedelta(minutes=16))
    return browser


def said(answer):
    """(path, {what the address says}) of where the browser is led."""
    parts = urlsplit(answer.headers.get("HX-Redirect") or answer.headers["Location"])
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def noted(session):
    return reverse("dashboard:discuss", args=[session.code])


class TestFromHtmx:
    def test_a_talk_leads_to_the_sign_in_page_and_back_to_the_client(self, clinic, session, ended, page):
        headers = {"HX-Request": "true", "HX-Current-URL": f"{SITE}{page}?seen=1#talks"}
        answer = ended.post(noted(session), {"said": "x", "draft": "y"}, headers=headers)
        assert answer.status_code == 204
        assert said(answer) == (SIGN_IN, {"next": f"{page}?seen=1", "unsaved": "kept"})
        signed_in = ended.post(
            SIGN_IN, {"login": clinic.olga.email, "password": cast.PASSWORD, "next": f"{page}?seen=1"}
        )
        assert signed_in.headers["Location"] == f"{page}?seen=1"

    def test_a_page_that_asks_by_itself_too_and_no_word_of_anything_unsaved(self, ended, page):
        headers = {"HX-Request": "true", "HX-Current-URL": f"{SITE}{page}", "X-Poll": "1"}
        assert said(ended.get(page, headers=headers)) == (SIGN_IN, {"next": page})

    @pytest.mark.parametrize(
        "address",
        [
            "https://elsewhere.example/dashboard/",
            "//elsewhere.example/",
            "http://testserver@elsewhere.example/",
            "http://testserver:81/",
            "http:///elsewhere.example",
            "javascript:alert(1)",
            "\\\\elsewhere.example",
            "http://[",
            "",
            f"{SITE}{SIGN_IN}",
        ],
    )
    def test_to_another_site_it_leads_nobody(self, session, ended, address):
        headers = {"HX-Request": "true", "HX-Current-URL": address}
        assert said(ended.post(noted(session), headers=headers)) == (SIGN_IN, {"unsaved": "lost"})

    def test_a_path_that_looks_like_another_site_stays_here(self, clinic, session, ended):
        headers = {"HX-Request": "true", "HX-Current-URL": f"{SITE}//elsewhere.example/"}
        _, told = said(ended.post(noted(session), headers=headers))
        sign_in = {"login": clinic.olga.email, "password": cast.PASSWORD, "next": told.get("next", "")}
        assert urlsplit(ended.post(SIGN_IN, sign_in).headers["Location"]).netloc == ""


class TestFromAWholePage:
    def test_a_page_leads_back_to_itself(self, ended, page):
        answer = ended.get(page, {"seen": "1"})
        assert (answer.status_code, *said(answer)) == (302, SIGN_IN, {"next": f"{page}?seen=1"})

    def test_a_form_leads_back_to_the_page_it_stood_on(self, session, ended, page):
        answer = ended.post(noted(session), {"said": "x"}, headers={"Referer": f"{SITE}{page}"})
        assert (answer.status_code, *said(answer)) == (302, SIGN_IN, {"next": page, "unsaved": "kept"})

    def test_without_a_referer_to_the_first_page(self, session, ended):
        assert said(ended.post(noted(session))) == (SIGN_IN, {"unsaved": "lost"})

    def test_so_does_a_browser_that_nobody_knows(self, session, page):
        answer = Browser().post(noted(session), headers={"Referer": f"{SITE}{page}"})
        assert said(answer) == (SIGN_IN, {"next": page, "unsaved": "lost"})

    def test_with_a_second_factor_too(self, clinic, ended, page, time_machine, settings):
        settings.SECOND_FACTOR_REQUIRED = True
        give_an_app(clinic.olga)
        ended.get(page)
        given = {"login": clinic.olga.email, "password": cast.PASSWORD, "next": page}
        assert ended.post(SIGN_IN, given).headers["Location"].startswith(reverse("mfa_authenticate"))
        answer = ended.post(reverse("mfa_authenticate"), {"code": one_time_code()})
        assert answer.headers["Location"] == page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"unsaved": "kept"}, "Your words are kept, sealed"),
        ({"unsaved": "lost"}, "then do it once more"),
    ],
)
def test_the_sign_in_page_says_that_nothing_was_saved(clinic, client, query, sentence):
    assert sentence in " ".join(client.get(SIGN_IN, query).text.split())
    assert "not saved" not in client.get(SIGN_IN).text
