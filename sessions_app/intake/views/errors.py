"""What a client reads where a request is refused, in their language as far as it is known; others read English."""

from collections.abc import Mapping
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views import defaults

from alliance import error_pages
from sessions_app.intake.views.rate import language_known_to

OF_CLIENTS = ("/rate/", "/go/", "/room/")
LANGUAGES = frozenset(tag for tag, _name in settings.LANGUAGES)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A browser that keeps no cookies, or lost them: the form itself still says in which language it was read."""
    if not request.path_info.startswith(OF_CLIENTS):
        return error_pages.csrf_failure(request, reason)
    error_pages.note_another_origin(request, reason)
    return _to_a_client(request, "rate/did_not_work.html", 403, sent=request.POST)


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
    if request.path_info.startswith(OF_CLIENTS):
        # Django logged the error before it came here.
        with suppress(Exception):
            return _to_a_client(request, "rate/did_not_work.html", 500, sent=request.POST)
    return defaults.server_error(request)


def _to_a_client(
    request: HttpRequest, template: str, status: int, sent: Mapping[str, str] | None = None
) -> HttpResponse:
    # A request can be refused before its session is read.
    known = language_known_to(request) if hasattr(request, "session") else ""
    read_in = str((sent or {}).get("read_in", ""))
    spoken = known or (read_in if read_in in LANGUAGES else translation.get_language_from_request(request))
    with translation.override(spoken):
        return render(request, template, status=status)
