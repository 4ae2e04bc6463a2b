"""Without scripts: a form that is sent as the sign-in ends is not lost, and nobody else ever reads it."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.models import BrowserSession
from sessions_app.flags.models import Discussion
from tests import cast

pytestmark = pytest.mark.django_db
SIGN_IN = reverse("account_login")
SAID = "Bilbysaid nobody asked me about school."


@pytest.fixture
def low(clinic):
    *_, low = cast.rated_course(clinic.olgas, [380, 330])
    return low


def words(low, **more):
    flags = [str(flag.code) for flag in low.flags.all()]
    return {f"talk-{low.code}-said": SAID, f"talk-{low.code}-agreed": "", "flag": flags, **more}


@pytest.fixture
def browser(clinic, time_machine):
    """Of somebody whose sign-in has ended by now; tokens are asked for as in a clinic."""
    time_machine.move_to(timezone.now(), tick=False)
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    browser.get(page_of(clinic))
    time_machine.shift(timedelta(minutes=16))
    return browser


def page_of(clinic):
    return reverse("dashboard:client", args=[clinic.olgas.code])


def send(browser, low, token="", **more):
    given = words(low, csrfmiddlewaretoken=token or browser.cookies["csrf"].value, **more)
    return browser.post(reverse("dashboard:discuss", args=[low.code]), given)


def sign_in(browser, person):
    browser.get(SIGN_IN)
    given = {"login": person.email, "password": cast.PASSWORD}
    browser.post(SIGN_IN, {**given, "csrfmiddlewaretoken": browser.cookies["csrf"].value})


def test_note_lost_without_scripts_it_is_kept_told_and_sent_once_more(clinic, low, browser):
    answer = send(browser, low)
    assert answer.headers["Location"] == f"{SIGN_IN}?unsaved=kept"
    assert not Discussion.objects.exists()
    assert SAID not in str(browser.session.items())
    assert SAID not in browser.get(answer.headers["Location"]).text
    sign_in(browser, clinic.olga)
    page = browser.get(page_of(clinic))
    assert f"“<bdi>{SAID}</bdi>”" in page.text
    waits = page.context["unsaved"]
    again = {"csrfmiddlewaretoken": browser.cookies["csrf"].value, "sent_again": "yes"}
    for name, value in waits.fields:
        again.setdefault(name, []).append(value)
    assert browser.post(waits.path, again).status_code == 302
    assert Discussion.objects.get().said == SAID
    assert "Not saved yet" not in browser.get(page_of(clinic)).text


def test_it_can_be_thrown_away(clinic, low, browser):
    send(browser, low)
    sign_in(browser, clinic.olga)
    token = {"csrfmiddlewaretoken": browser.cookies["csrf"].value}
    assert browser.post(reverse("discard_unsaved"), token).status_code == 302
    assert "Not saved yet" not in browser.get(page_of(clinic)).text


def test_somebody_else_who_signs_in_there_reads_nothing_and_it_is_gone(clinic, low, browser):
    send(browser, low)
    sign_in(browser, clinic.carl)
    assert SAID not in browser.get(reverse("dashboard:work_list")).text
    assert "unsaved" not in browser.session
    sign_in(browser, clinic.olga)
    assert "Not saved yet" not in browser.get(page_of(clinic)).text


def test_a_page_of_another_site_puts_no_words_there(clinic, low, browser):
    answer = send(browser, low, token="x" * 64)
    assert answer.headers["Location"] == f"{SIGN_IN}?unsaved=lost"
    assert "unsaved" not in browser.session


@pytest.mark.parametrize("more", [{"draft": "5f1d9a52-3c61-4a0e-9d43-0c9f2a7f6b18"}, {"long": "x" * 20_000}])
def test_what_the_browser_keeps_itself_and_what_is_too_long_is_not_kept_here(low, browser, more):
    send(browser, low, **more)
    assert "unsaved" not in browser.session


def test_a_hand_over_leaves_nothing_of_it(clinic, low, browser):
    send(browser, low)
    sign_in(browser, clinic.olga)
    session = cast.therapy_session(clinic.olgas)
    token = {"csrfmiddlewaretoken": browser.cookies["csrf"].value}
    address = reverse("dashboard:hand_over", args=[clinic.olgas.code])
    browser.post(f"{address}?session={session.code}", token)
    assert "device_lock" in browser.session
    assert "unsaved" not in browser.session
    assert BrowserSession.objects.count() == 1
