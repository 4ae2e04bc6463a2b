"""The number of a request. It loads nothing of the site: the log is set up before anything else is.

It stands in the answer, on every page about an error and in every line of the log that was written meanwhile: whoever
reads it out to the helper has told everything there is to tell.
"""

import re
import secrets
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

HEADER = "X-Request-ID"
# No letters and digits that are taken for one another, read out on the telephone.
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# Hexadecimal alone, as nginx ($request_id), Caddy and HAProxy (UUIDs) make it: no name, no word fits in.
_OF_A_PROXY = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Answered ahead of all pages.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
# So is this, which is asked seldom and keeps its line in the log.
_NAMED = PROBES | {settings.POLICY_REPORTS}
NO_ROUTE = "none"

# Not taken back at the end of a request: Django still logs a line after the last middleware. The next one replaces it.
_current: ContextVar[HttpRequest | None] = ContextVar("request of the log", default=None)


def begin(request: HttpRequest) -> str:
    """The number that `request` has from here on, in this thread and in those that it begins."""
    chosen = _number_for(request)
    request.number = chosen  # type: ignore[attr-defined]
    _current.set(request)
    return chosen


def number() -> str:
    """Of the request that this thread is at; empty outside of any."""
    return getattr(_current.get(), "number", "")


def route() -> str:
    """The name of its page; empty outside of any request."""
    request = _current.get()
    return route_of(request) if request is not None else ""


def route_of(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return request.resolver_match.view_name or NO_ROUTE
    return request.path_info.lstrip("/") if request.path_info in _NAMED else NO_ROUTE


def method_of(request: HttpRequest) -> str:
    """What else stands in its place was chosen by whoever sent it."""
    return request.method if request.method in METHODS else "other"


def drawn() -> str:
    """One look at the system's randomness for all eight signs: each costs a call into the kernel."""
    left, signs = secrets.randbelow(len(_SIGNS) ** 8), ""
    for _ in range(8):
        left, place = divmod(left, len(_SIGNS))
        signs += _SIGNS[place]
    return f"{signs[:4]}-{signs[4:]}"


def _number_for(request: HttpRequest) -> str:
    """The proxy's, where one is trusted to have set it: its own log can then be laid beside this one."""
    said = request.headers.get(HEADER, "") if settings.TRUSTED_PROXIES else ""
    return said if _OF_A_PROXY.fullmatch(said) else drawn()
