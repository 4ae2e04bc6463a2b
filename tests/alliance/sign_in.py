"""Signing in and failing to, through the pages, as the tests of sign-ins need it."""

import base64
import hmac
import time
from urllib.parse import urlparse

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.test import Client as Browser
from django.urls import reverse

from alliance.models import User
from tests import cast

SECURITY = "/accounts/security/"
SECRET = "JBSWY3DPEHPK3PXP"
SOMEWHERE_ELSE = "203.0.113.9"


def sign_in(browser: Browser, email: str, password: str = cast.PASSWORD, **extra: str) -> bool:
    """Whether this lets somebody in; to the second factor is not in."""
    return leads_in(browser.post(reverse("account_login"), {"login": email, "password": password}, **extra))


def leads_in(answer) -> bool:
    return answer.status_code == 302 and not urlparse(answer.headers["Location"]).path.startswith(
        "/accounts/"
    )


def fail(email: str, times: int, browser: Browser | None = None, **extra: str) -> None:
    """Wrong passwords, from a browser that nobody knows unless one is given."""
    browser = browser or Browser()
    for _ in range(times):
        assert not sign_in(browser, email, "wrong", **extra)


def known_browser(*people: User) -> Browser:
    browser = Browser()
    for person in people:
        assert sign_in(browser, person.email)
        browser.post(reverse("account_logout"))
    return browser


def give_an_app(person: User) -> None:
    """A second factor: an app with one-time codes."""
    sealed = {"secret": get_adapter().encrypt(SECRET)}
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data=sealed)


def code(steps: int = 0) -> str:
    """The code of this half minute, or of one so many `steps` later (RFC 6238, RFC 4226)."""
    counter = (int(time.time()) // 30 + steps).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(SECRET), counter, "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def enter(browser: Browser, entered: str) -> bool:
    return leads_in(browser.post(reverse("mfa_authenticate"), {"code": entered}))


def just_asked(browser: Browser) -> Browser:
    """Whoever is signed in there has just shown once more that it is they."""
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser
