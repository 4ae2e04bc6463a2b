"""Browsers on which a person has signed in before: each has tries of its own at that person's password.

Without it, anybody who knows an address, or shares the clinic's Wi-Fi, uses up the tries of the therapist who
wants the tablet back. The mark opens nothing: it only says whose wrong tries are counted where (ADR 18).
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse

from alliance.models import User

COOKIE = "__Host-known" if settings.HTTPS else "known"
KEPT_FOR = timedelta(days=400)  # browsers keep no cookie for longer; each sign-in renews it
PEOPLE = 30  # on a tablet that a whole team shares; whoever has not been there for longest is forgotten


def remember(request: HttpRequest, response: HttpResponse, person: User) -> None:
    """`person` has just signed in fully: this browser is known for them from now on.

    The browser is called by a random number, and each person on it by a signature over that number and their
    key. Whoever holds the tablet reads in it how many people signed in there, and not which.
    """
    browser, marks = _held(request)
    browser = browser or secrets.token_urlsafe(16)
    others = [mark for mark in marks if not _is_of(person, browser, mark)]
    response.set_cookie(
        COOKIE,
        ".".join([browser, _signer().signature(_about(person, browser)), *others][: PEOPLE + 1]),
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def is_known(request: HttpRequest, person: User) -> bool:
    """Whether this person signed in on this browser before."""
    browser, marks = _held(request)
    return any(_is_of(person, browser, mark) for mark in marks)


def own_tries(request: HttpRequest, email: str) -> str:
    """What to count wrong passwords of this browser for this person under; empty where it is not known."""
    browser, marks = _held(request)
    person = User.objects.filter(email__iexact=email).first() if marks else None
    if person is None or not any(_is_of(person, browser, mark) for mark in marks):
        return ""
    return f"known browser {_about(person, browser)}"


def name_of(request: HttpRequest) -> str:
    """What to count the tries of this browser under, if anybody of staff signed in on it before; else empty.

    It has to try each person, because the browser does not say whose marks it holds: only for whoever has to wait.
    """
    browser, marks = _held(request)
    if not marks:
        return ""
    people = User.objects.filter(is_active=True)
    known = any(_is_of(person, browser, mark) for person in people for mark in marks)
    return f"known browser {browser}" if known else ""


def _held(request: HttpRequest) -> tuple[str, list[str]]:
    browser, *marks = request.COOKIES.get(COOKIE, "").split(".")
    return browser, marks[:PEOPLE]


def _about(person: User, browser: str) -> str:
    return f"{browser} {person.pk}"


def _is_of(person: User, browser: str, mark: str) -> bool:
    try:
        _signer().unsign(f"{_about(person, browser)}:{mark}")
    except BadSignature:
        return False
    return True


def _signer() -> Signer:
    return Signer(salt="alliance.known_browsers")  # of earlier keys too: SECRET_KEY_FALLBACKS
