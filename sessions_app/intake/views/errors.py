"""What a client reads where a request is refused, in their language as far as it is known; others read English."""

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import translation
from django.views import defaults

from alliance import error_pages
from alliance.device_lock import PHONE, DeviceLock
from alliance.operations import time_limits
from alliance.operations.maintenance import Closed
from sessions_app.intake.views.rate import language_known_to

OF_CLIENTS = ("/rate/", "/go/", "/room/", "/pass/")
LANGUAGES = frozenset(tag for tag, _name in settings.LANGUAGES)
# Where the database does not answer, the page that says so asks it nothing: each question would wait as long once more,
# ten seconds for a connection. As on a phone, the page then offers no way to the sign-in of staff.
NOT_ASKED_FOR = DeviceLock(token="", return_to="", channel=PHONE)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A browser that keeps no cookies, or lost them: the form itself still says in which language it was read."""
    if not request.path_info.startswith(OF_CLIENTS):
        return error_pages.csrf_failure(request, reason)
    error_pages.note_another_origin(request, reason)
    return _to_a_client(request, "rate/did_not_work.html", 403, read_in=_read_in(request))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path_info.startswith(OF_CLIENTS):
        return error_pages.bad_request(request, exception)
    return _to_a_client(request, "rate/did_not_work.html", 400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path_info.startswith(OF_CLIENTS):
        return error_pages.not_found(request, exception)
    return _to_a_client(request, "rate/not_there.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Whatever broke may break this page too, the database before all: then the plain page in English."""
    error = sys.exc_info()[1]
    is_away = time_limits.is_away(error)
    if request.path_info.startswith(OF_CLIENTS):
        # Django logged the error before it came here.
        with suppress(Exception):
            # What nobody has read may be what broke, or may still be on its way.
            read_in = _read_in(request) if hasattr(request, "_post") else ""
            if not is_away:
                return _to_a_client(request, "rate/did_not_work.html", 500, read_in=read_in)
            language, context = _asked_for(request, read_in), {"lock": NOT_ASKED_FOR}
            response = _spoken(request, "rate/did_not_work.html", 503, language, context)
            response["Retry-After"] = str(time_limits.RETRY_AFTER)
            return response
    try:
        return error_pages.unavailable(request, error) if is_away else defaults.server_error(request)
    except Exception:
        logging.getLogger(__name__).exception("The page about an error could not be made either.")
        return error_pages.without_pages()


def closed(request: HttpRequest, closed: Closed) -> HttpResponse:
    """For a while, by `manage.py maintenance`. To a device this is "away": it keeps its marks and comes back."""
    if request.path_info.startswith(OF_CLIENTS):
        return _to_a_client(request, "rate/did_not_work.html", 503)
    return render(request, "maintenance.html", {"sentence": closed.sentence}, status=503)


def _read_in(request: HttpRequest) -> str:
    """The language that the form says it was read in; empty where the form cannot be read."""
    with suppress(BadRequest, SuspiciousOperation, UnreadablePostError, MultiPartParserError):
        return request.POST.get("read_in", "")
    return ""


def _to_a_client(request: HttpRequest, template: str, status: int, read_in: str = "") -> HttpResponse:
    # A request can be refused before its session is read, or because it cannot be.
    known = ""
    if hasattr(request, "session"):
        with suppress(DatabaseError):
            known = language_known_to(request)
    return _spoken(request, template, status, known or _asked_for(request, read_in))


def _asked_for(request: HttpRequest, read_in: str) -> str:
    """By the form, or by the browser."""
    return read_in if read_in in LANGUAGES else translation.get_language_from_request(request)


def _spoken(
    request: HttpRequest,
    template: str,
    status: int,
    language: str,
    context: Mapping[str, object] | None = None,
) -> HttpResponse:
    with translation.override(language):
        return render(request, template, context, status=status)
