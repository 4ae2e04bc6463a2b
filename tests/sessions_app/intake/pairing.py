"""The browser of a room's tablet, paired as people pair it."""

import re

from django.conf import settings
from django.test import Client
from django.urls import reverse

from sessions_app.intake import sending_actions

ROOM, WAITING, START = (reverse(f"room:{name}") for name in ("home", "waiting", "start"))
FORM, DONE, GO = reverse("rate:form"), reverse("rate:done"), reverse("go:start")
TABLETS, PAIR = reverse("tablets:list"), reverse("tablets:pair")


def asks_to_be_paired(browser=None):
    browser = browser or Client()
    assert browser.post(ROOM).headers["Location"] == ROOM
    return browser


def code_on(browser):
    return re.search(r'<p class="code code--large" dir="ltr">([^<]+)</p>', browser.get(ROOM).text)[1]


def paired(clinic, name="Room 3", browser=None):
    browser = asks_to_be_paired(browser)
    browser.row = sending_actions.pair(pairing_code=code_on(browser), name=name, by=clinic.adam)
    return browser


def state(browser):
    return browser.get(WAITING).json()["state"]


def lock_again(browser, held):
    """The clock moved on past the session's end."""
    kept = browser.session
    kept["device_lock"] = held
    kept.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = kept.session_key
