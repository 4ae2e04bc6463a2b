"""python -m tests.bench.browsers: signs in people, locks tablets, and prints as JSON what each page's browsers ask.

Everything is done through the site's own pages, so that this runs on an older revision too. What a revision
does not do is left out, with a sentence that says so.
"""

import json
import re
import secrets
import sys
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

FORMS = 10
TABLETS = 2
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def main() -> None:
    import django

    django.setup()
    handed_in = int(sys.argv[1])
    print(json.dumps(asked(handed_in)))


def asked(handed_in: int) -> dict[str, Any]:
    """Path and cookies for each page; under "problems" what could not be prepared."""
    pages: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, make in MADE.items():
        try:
            pages[name] = make(handed_in)
        except Exception as error:
            problems[name] = f"{type(error).__name__}: {error}"
    return {"pages": pages, "problems": problems}


def _clients_who_rate() -> list[dict[str, str]]:
    """The clients whose ratings are handed in, for their therapist."""
    therapist = _therapist_of_ratings()
    cookies = _signed_in(therapist)
    open_ones = therapist.episodes.filter(closed_on=None).order_by("pk")
    return [{"path": f"/dashboard/clients/{one.code}/", "cookies": cookies} for one in open_ones]


def _therapist_of_ratings() -> Any:
    return next(one for one in _people(is_therapist=True) if one not in _therapists())


def _people(**role: bool) -> list[Any]:
    from django.apps import apps

    # The first of each role is the one of the clinic that is not a copy: copies have longer addresses.
    return list(
        apps.get_model("alliance.User").objects.filter(email__regex=r"^[a-z]+\d*@", **role).order_by("email")
    )


def _therapists() -> list[Any]:
    """Those of the supervisor's team."""
    from django.apps import apps

    team = apps.get_model("clients.Supervision").objects.filter(supervisor__in=_people(is_supervisor=True))
    return [one.therapist for one in team.select_related("therapist").order_by("pk")]


def _each(people: list[Any], path: str) -> list[dict[str, str]]:
    return [{"path": path, "cookies": _signed_in(person)} for person in people]


def _browser() -> Any:
    from django.test import Client

    return Client(headers={"host": "127.0.0.1"})


def _signed_in(person: Any) -> str:
    browser = _browser()
    browser.force_login(person, backend=BACKEND)
    return _cookies(browser)


def _cookies(browser: Any) -> str:
    return "; ".join(f"{name}={one.value}" for name, one in browser.cookies.items() if one.value)


def _clients(sessions: int) -> list[dict[str, str]]:
    """One client of each therapist of the team, with so many sessions behind them."""
    from django.db.models import Count, Q

    held = Count("sessions", filter=~Q(sessions__attendance="planned"))
    found = []
    for person in _therapists():
        open_ones = person.episodes.filter(closed_on=None).annotate(held=held)
        episode = open_ones.filter(held=sessions).order_by("pk")[0]
        found.append({"path": f"/dashboard/clients/{episode.code}/", "cookies": _signed_in(person)})
    return found


def _tablets() -> list[dict[str, str]]:
    from django.apps import apps
    from django.utils import timezone

    found = []
    for number in range(TABLETS):
        tablet, staff = _browser(), _browser()
        tablet.post("/room/")
        page = tablet.get("/room/").content.decode()
        code = re.search(r'class="code[^>]*>([^<]+)<', page)
        staff.force_login(_therapists()[number], backend=BACKEND)
        answer = staff.post(
            "/tablets/pair/",
            {"pairing_code": code.group(1) if code else "", "name": f"Room {secrets.token_hex(4)}"},
        )
        if answer.status_code != 302:
            raise RuntimeError("The tablet could not be paired.")
        found.append({"path": "/room/waiting/", "cookies": _cookies(tablet)})
    # A tablet that was just paired may be treated otherwise.
    apps.get_model("sessions_app.PairedTablet").objects.update(paired_at=timezone.now() - timedelta(days=2))
    return found


def _locked(count: int) -> list[dict[str, str]]:
    """Browsers that were handed over, each for another session. A hand-over ends the therapist's sign-in."""
    from django.apps import apps
    from django.utils import timezone

    therapist, now = _therapist_of_ratings(), timezone.now()
    sessions = apps.get_model("sessions_app.TherapySession").objects.filter(
        episode__therapist=therapist, held_at__gt=now - timedelta(hours=8), held_at__lte=now, grants=None
    )
    found = []
    for session in sessions.select_related("episode").order_by("held_at", "pk")[:count]:
        browser = _browser()
        browser.force_login(therapist, backend=BACKEND)
        path = f"/dashboard/clients/{session.episode.code}/hand-over/"
        answer = browser.post(path, {"session": str(session.code)})
        if answer.headers.get("Location") != "/rate/":
            raise RuntimeError(f"The hand-over answered {answer.status_code}.")
        found.append({"path": "/rate/", "cookies": _cookies(browser)})
    return found


def _administrator() -> list[Any]:
    return _people(is_administrator=True)[:1]


# How often the last of them can be asked is said by whoever asks: a form is handed in once.
MADE: dict[str, Callable[[int], list[dict[str, str]]]] = {
    "bare page": lambda _: [{"path": "/bare"}],
    "signed-in page with nothing on it": lambda _: _each(_therapists(), "/signed-in"),
    "work list, 20 clients": lambda _: _each(_therapists(), "/dashboard/"),
    "client's page, 16 sessions": lambda _: _clients(16),
    "client's page, 200 sessions": lambda _: _clients(200),
    "caseload, 200 clients": lambda _: _each(_people(is_supervisor=True)[:1], "/caseload/"),
    "client list": lambda _: _each(_administrator(), "/clients/"),
    "access log": lambda _: _each(_administrator(), "/clinic/log/"),
    "access log of one client": lambda _: _each(_administrator(), "/clinic/log/?client=K-100005"),
    "paired tablet that waits": lambda _: _tablets(),
    "rating form": lambda _: _locked(FORMS),
    "rating handed in": lambda handed_in: _locked(handed_in),
    "client's page, 50 sessions, first after a rating": lambda _: _clients_who_rate(),
}
# What these ask is read from the page that polls.
POLLED = {
    "nothing new on the work list": "work list, 20 clients",
    "nothing new on the client's page": "client's page, 16 sessions",
}


def form_of(page: str) -> dict[str, str]:
    """What a form page tells its script about where and how to deliver the marks."""
    names = ("upload", "token", "key", "public-key")
    found = {name: re.search(rf'\bdata-{name}="([^"]+)"', page) for name in names}
    return {name: unescape(match.group(1)) for name, match in found.items() if match}


def poll_of(page: str) -> str:
    """The address by which a page asks whether there is something new; empty where it has none."""
    found = re.search(r'="(/[^"]*[?&](?:amp;)?seen=[^"]*)"', page)
    return unescape(found.group(1)) if found else ""


if __name__ == "__main__":
    main()
