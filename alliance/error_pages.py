"""What staff, and whoever sets the site up, read where a request is refused.

Clients have pages of their own: `sessions_app.intake.views.errors`.

A proxy that is set up wrongly shows at the first POST. So these pages say what came and what to set, and only of
what the browser itself has sent.
"""

import logging
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.shortcuts import render
from django.urls import Resolver404, get_resolver, resolve

from alliance import navigation
from alliance.operations import request_number, time_limits

# As Django words it (`django.middleware.csrf`), which has no other sign of it.
_OF_ANOTHER_ORIGIN = ("Origin checking failed", "Referer checking failed")
_LOGGED = (
    "A form was refused: the browser is at %r, and the proxy in front said %r. Let the proxy pass on Host as the "
    "browser has it, with its port, and X-Forwarded-Proto: see 'The proxy in front' in docs/deployment.md."
)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if not note_another_origin(request, reason):
        return render(request, "403_csrf.html", status=403)
    browser, server = _origins(request)
    same_name = urlsplit(browser).hostname == urlsplit(server).hostname
    context = {"browser": browser, "server": server, "same_name": same_name}
    return render(request, "403_origin.html", context, status=403)


def note_another_origin(request: HttpRequest, reason: str) -> bool:
    """Whether a form came from another address than this site believes to be at; the server's log is told."""
    if not reason.startswith(_OF_ANOTHER_ORIGIN):
        return False
    logging.getLogger(__name__).warning(_LOGGED, *_for_the_log(*_origins(request)))
    return True


def _origins(request: HttpRequest) -> tuple[str, str]:
    """Where the browser says it is, and where this server was told it is: scheme, name and port of both."""
    sent = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        parts = urlsplit(sent)
        browser = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.hostname else "(not told)"
    except ValueError:
        browser = "(not readable)"
    return browser, f"{request.scheme}://{request.get_host()}"


def _for_the_log(browser: str, server: str) -> tuple[str, str]:
    """Only names that are this site's own: any other is whatever somebody chose to send."""
    is_own = validate_host(urlsplit(browser).hostname or "", settings.ALLOWED_HOSTS)
    return browser if is_own else "another site", server


def unavailable(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """The database is busy or away. A page may have stored one thing before it failed at the next: it claims nothing.

    Told apart: nobody waits for a page they only looked at; a request that had no connection has stored nothing.
    """
    context = {
        "busy": time_limits.is_busy(error),
        "reads": request.method in ("GET", "HEAD"),
        "nothing_saved": time_limits.never_began(error),
    }
    response = render(request, "503.html", context, status=503)
    response["Retry-After"] = str(time_limits.RETRY_AFTER)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, SessionInterrupted):
        # The session could not be written at the very end: signed out elsewhere, or the database is gone.
        return unavailable(request, exception.__context__)
    is_unknown = isinstance(exception, DisallowedHost)
    return render(request, "400.html", {"unknown_name": is_unknown}, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    context = {"under": _path_above(request.path_info, exception), "places_of_staff": _places(request)}
    return render(request, "404.html", context, status=404)


def without_pages() -> HttpResponse:
    """Where not even the page about an error can be made, as without static files: an empty page says nothing."""
    text = (
        "Something broke on our side, and no page can be shown. We do not know whether your last entry was saved.\n"
        "Tell your administrator. If you look after this server: manage.py doctor says what is wrong.\n"
        f"Tell this number to whoever looks after the site: {request_number.number()}\n"
    )
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=500)


def _places(request: HttpRequest) -> list[navigation.Place]:
    """Where the person can go who is signed in; none where that cannot be told, for this page must always come."""
    with suppress(Exception):
        return list(navigation.places(request))
    return []


def _path_above(path: str, exception: Exception) -> str:
    """The path under which somebody may have put the site; empty where the address is just not there."""
    first, slash, rest = path.lstrip("/").partition("/")
    if not (first and slash) or not isinstance(exception, Resolver404) or first in _own_first_words():
        return ""
    try:
        resolve(f"/{rest}")
    except Resolver404:
        return ""
    return f"/{first}/"


def _own_first_words() -> set[str]:
    return {str(entry.pattern).partition("/")[0] for entry in get_resolver().url_patterns}
