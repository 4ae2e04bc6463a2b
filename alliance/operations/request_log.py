"""The one line that the log says of each request, and what is counted of it.

A line holds nothing of a person: the name of the page and not its address, whose codes and tokens open things; no
query, no body, no account, no network address. The number: request_number.py; how a line is written: log_lines.py.
"""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse

from alliance.operations import metrics, request_number
from alliance.operations.request_number import PROBES, method_of, route_of

log = logging.getLogger("alliance.requests")
GetResponse = Callable[[HttpRequest], HttpResponse]


class Cut(Exception):
    """An answer that is sent piece by piece broke off. The web server logs it, and so it says nothing more."""


def log_requests(get_response: GetResponse) -> GetResponse:
    """Outermost, but for files: also what the others refuse has a number, a line, and is counted."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        number = request_number.begin(request)
        response = get_response(request)
        response.headers[request_number.HEADER] = number
        if response.streaming:
            response.streaming_content = _told_if_it_breaks(response.streaming_content)  # type: ignore[attr-defined]
        _note(request, response.status_code, time.monotonic() - began)
        return response

    return middleware


def _note(request: HttpRequest, status: int, seconds: float) -> None:
    page, method = route_of(request), method_of(request)
    metrics.request_answered(route=page, method=method, status=status, seconds=seconds)
    if request.path_info in PROBES and status < 500:  # they are asked every few seconds
        return
    facts = {"route": page, "method": method, "status": status, "ms": round(seconds * 1000, 1)}
    log.info("Answered.", extra={"facts": facts})


def _told_if_it_breaks(pieces: Iterator[Any]) -> Iterator[Any]:
    """Django's part is over when the pieces are drawn: nobody but the web server would tell, with all it holds."""
    try:
        yield from pieces
    except Exception:
        log.exception("An answer that was sent piece by piece broke off.")
        raise Cut from None
