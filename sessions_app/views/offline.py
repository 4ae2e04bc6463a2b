"""What a device keeps to go on without a connection: the scripts and sheets of its pages, and one page that says so.

No page of staff and no page of a client is ever kept. The worker answers for /rate/, /room/ and /go/.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

from alliance.access import PUBLIC, page

FOLDERS = ("rate", "room", "go")


@require_safe
@page(PUBLIC)
def worker(request: HttpRequest) -> HttpResponse:
    """Asked for again with every page: the browser holds on to it and learns that nothing has changed."""
    shells = {tag: reverse("rate:offline", args=[tag]) for tag, _name in settings.LANGUAGES}
    # What a shell says is part of the version: an upgrade with nothing but new words is fetched too.
    said = [_shell(request, tag).content for tag in shells]
    version = hashlib.sha256(b"".join([*map(str.encode, static_files()), *said])).hexdigest()[:16]
    context = {"version": version, "files": json.dumps(static_files()), "shells": json.dumps(shells)}
    response = render(request, "rate/worker.js", context, content_type="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/"  # each page registers it for its own folder only
    response.headers["Cache-Control"] = "no-cache"
    set_response_etag(response)
    return get_conditional_response(request, response.headers["ETag"], response=response) or response


@require_safe
@page(PUBLIC)
def offline(request: HttpRequest, language: str) -> HttpResponse:
    if language not in dict(settings.LANGUAGES):
        raise Http404
    return _shell(request, language)


def _shell(request: HttpRequest, language: str) -> HttpResponse:
    with translation.override(language):
        response = render(request, "rate/offline.html")
    response.headers["X-Offline"] = "1"  # the worker tells it from a page of the network by that
    return response


@cache
def static_files() -> list[str]:
    """Addresses of everything the pages of a device load. Unhashed names change their content: none is kept."""
    if settings.DEBUG:
        return []
    root = Path(settings.BASE_DIR) / "static"
    found = (path for folder in FOLDERS for path in sorted((root / folder).iterdir()))
    return [static(path.relative_to(root).as_posix()) for path in found]
