"""What is read where a request is refused: clients in their language, helpers with what came and what to set."""

import logging
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from sessions_app.intake import hand_over_actions
from tests import cast

pytestmark = pytest.mark.django_db
ARABIC, GERMAN = {"Accept-Language": "ar"}, {"Accept-Language": "de-AT,de;q=0.9"}
DID_NOT_WORK = {"en": "That did not work.", "de": "Das hat nicht geklappt.", "ar": "لم ينجح ذلك."}
NOTHING = {"en": "There is nothing to fill in here.", "de": "Hier gibt es nichts auszufüllen."}


def strict() -> Browser:
    return Browser(enforce_csrf_checks=True)


def language_of(answer) -> tuple[str, str]:
    return tuple(re.search(r'<html lang="(\w+)" dir="(\w+)">', answer.text).groups())


# --- In the client's language --------------------------------------------------------------------


def test_a_form_in_arabic_whose_cookie_was_lost_is_refused_in_arabic():
    """Without scripts, on a tablet that speaks German: only the form itself still says what the client reads."""
    answer = strict().post("/rate/", {"step": "review", "mode": "line", "read_in": "ar"}, headers=GERMAN)
    assert (answer.status_code, language_of(answer)) == (403, ("ar", "rtl"))
    assert DID_NOT_WORK["ar"] in answer.text


@pytest.mark.parametrize("read_in", ["", "xx", "<b>"])
def test_where_the_form_does_not_say_it_the_browser_does(read_in):
    answer = strict().post("/go/", {"read_in": read_in}, headers=GERMAN)
    assert (answer.status_code, language_of(answer)) == (403, ("de", "ltr"))
    assert DID_NOT_WORK["de"] in answer.text


def holding_an_arabic_form(clinic, tablet):
    clinic.olgas.client.language = "ar"
    clinic.olgas.client.save()
    _, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    session = tablet.session
    session["device_lock"] = {"token": token, "return_to": ""}
    session.save()
    tablet.cookies["session"] = session.session_key
    return tablet


def test_a_form_that_is_still_held_is_refused_in_the_language_of_its_client(clinic):
    tablet = holding_an_arabic_form(clinic, strict())
    answer = tablet.post("/rate/", {"step": "review", "read_in": "de"}, headers=GERMAN)
    assert (answer.status_code, language_of(answer)) == (403, ("ar", "rtl"))


@pytest.mark.parametrize("address", ["/go/x/", "/go/abc/def", "/rate/x/", "/room/nothing/"])
def test_an_address_of_the_client_that_is_not_there_speaks_the_phones_language(address):
    answer = Browser().get(address, headers=GERMAN)
    assert (answer.status_code, language_of(answer)) == (404, ("de", "ltr"))
    assert NOTHING["de"] in answer.text
    assert "data-worker" not in answer.text, "there is none beside it"
    assert NOTHING["en"] in Browser().get(address).text


def test_a_request_of_a_client_that_makes_no_sense_is_answered_in_their_language(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    answer = Browser().post("/rate/", {"comment": "x" * 100}, headers=ARABIC)
    assert answer.status_code in {400, 404}
    assert language_of(answer) == ("ar", "rtl")


@pytest.mark.parametrize("broken", ["the view", "the database"])
def test_a_form_that_breaks_on_our_side_speaks_the_language_of_its_client(clinic, monkeypatch, broken):
    def breaks(*args, **kwargs):
        raise RuntimeError

    tablet = holding_an_arabic_form(clinic, Browser(raise_request_exception=False))
    monkeypatch.setattr("sessions_app.intake.views.rate._step_of", breaks)
    if broken == "the database":
        monkeypatch.setattr("sessions_app.intake.views.errors.language_known_to", breaks)
    answer = tablet.post("/rate/", {"step": "review"}, headers=GERMAN)
    assert answer.status_code == 500
    if broken == "the view":
        assert language_of(answer) == ("ar", "rtl")
        assert DID_NOT_WORK["ar"] in answer.text
    else:
        assert "We do not know whether your last entry was saved" in answer.text


def test_pages_of_staff_stay_english():
    for address in ("/dashboard/nothing/", "/nothing/"):
        answer = Browser().get(address, headers=GERMAN)
        assert "There is nothing here for you" in answer.text
        assert 'lang="en"' in answer.text
    assert "open for too long" in strict().post(reverse("account_login"), headers=GERMAN).text


# --- What the proxy passes on --------------------------------------------------------------------


def test_a_port_that_the_proxy_does_not_pass_on_is_named_with_what_to_set(caplog):
    """A proxy on :8443 with `Host $host`: the browser is at a port of which the server never hears."""
    with caplog.at_level(logging.WARNING, "alliance.error_pages"):
        answer = strict().post(
            reverse("account_login"), {"login": "x"}, headers={"Origin": "https://testserver:8443"}
        )
    assert answer.status_code == 403
    for words in ("https://testserver:8443", "http://testserver<", "proxy_set_header Host $http_host;"):
        assert words in answer.text, words
    assert "open for too long" not in answer.text
    ours = (Path(settings.BASE_DIR) / "deploy" / "nginx" / "alliance.conf.template").read_text("utf-8")
    for line in re.findall(r"<code>(proxy_set_header [^<]+)</code>", answer.text):
        assert f"        {line}\n" in ours
    (line,) = (record.getMessage() for record in caplog.records if record.name == "alliance.error_pages")
    assert "'https://testserver:8443'" in line
    assert "docs/deployment.md" in line


def test_with_the_headers_of_the_deployment_page_the_form_is_taken(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    browser, at = strict(), {"Host": "testserver:8443", "X-Forwarded-Proto": "https"}
    page = browser.get(reverse("account_login"), headers=at)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    sent = {"login": "x", "password": "x", "csrfmiddlewaretoken": token}
    at["Origin"] = "https://testserver:8443"
    assert browser.post(reverse("account_login"), sent, headers=at).status_code == 200
    del at["X-Forwarded-Proto"]
    assert (
        "Tell whoever looks after the server" in browser.post(reverse("account_login"), sent, headers=at).text
    )


def test_a_form_from_another_site_is_told_apart_and_says_nothing_more():
    answer = strict().post(reverse("account_login"), headers={"Origin": "https://evil.example"})
    assert "If you came here from another site" in answer.text
    assert "$http_host" not in answer.text
    hostile = strict().post(reverse("account_login"), headers={"Origin": "https://<script>alert(1)</script>"})
    assert (hostile.status_code, "<script>alert" in hostile.text) == (403, False)


def test_a_client_reads_no_word_of_proxies(caplog):
    answer = strict().post("/go/", {"code": "x"}, headers={"Origin": "https://testserver:8443", **GERMAN})
    assert DID_NOT_WORK["de"] in answer.text
    assert "8443" not in answer.text
    assert "'https://testserver:8443'" in caplog.text, "the helper finds it in the log of the server"


def test_a_name_that_is_not_the_sites_is_said():
    answer = Browser().get("/healthz", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, "ALLOWED_HOSTS" in answer.text) == (400, True)
    assert "elsewhere" not in answer.text


# --- Under a path --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/feedback/", "/feedback/accounts/login/", "/feedback/dashboard/"])
def test_under_a_path_the_page_says_that_the_site_needs_a_name_of_its_own(address):
    answer = Browser().get(address)
    assert (
        answer.status_code,
        "cannot stand under a path such as <code>/feedback/</code>" in answer.text,
    ) == (
        404,
        True,
    )


@pytest.mark.parametrize("address", ["/clinic/clients/", "/feedback/nothing/", "/accounts/", "/nothing"])
def test_a_mistyped_address_is_no_path(address):
    answer = Browser().get(address)
    assert (answer.status_code, "cannot stand under a path" in answer.text) == (404, False)
