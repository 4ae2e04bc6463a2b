"""What a device keeps to go on without a connection: the scripts and sheets of its pages, and one page that says so.

No page of staff and no page of a client is ever kept. There is one worker for /rate/, one for /room/ and one for /go/:
served from there, a browser lets none of them answer for anything else.
"""

import hashlib
import json
from base64 import b64encode
from functools import cache
from pathlib import Path

from csp.utils import build_policy
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

from alliance.access import PUBLIC, page

FOLDERS = ("rate", "room", "go")
ROOT = Path(settings.BASE_DIR) / "static"


@require_safe
@page(PUBLIC)
def worker(request: HttpRequest) -> HttpResponse:
    """Asked for again with every page: the browser holds on to it and learns that nothing has changed."""
    files = json.dumps(static_files())
    shells = {tag: _shell(request, tag) for tag, _name in settings.LANGUAGES}
    context = {
        "version": hashlib.sha256(files.encode()).hexdigest()[:16],
        "files": files,
        "shells": json.dumps(shells, ensure_ascii=False),
        "policy": _policy(),
    }
    response = render(request, "rate/worker.js", context, content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    set_response_etag(response)
    return get_conditional_response(request, response.headers["ETag"], response=response) or response


def _shell(request: HttpRequest, language: str) -> str:
    with translation.override(language):
        return render_to_string("rate/offline.html", request=request)


def _policy() -> str:
    """That of every page. It is put together in another order by each process, and the worker must not differ."""
    return "; ".join(sorted(build_policy().split("; ")))


@cache
def static_files() -> dict[str, str]:
    """Address and digest of everything the pages of a device load.

    Unhashed names change their content: none is kept.
    """
    if settings.DEBUG:
        return {}
    found = (path for folder in FOLDERS for path in sorted((ROOT / folder).iterdir()))
    names = [path.relative_to(ROOT).as_posix() for path in found]
    return {static(name): b64encode(hashlib.sha256(_served(name)).digest()).decode() for name in names}


def _served(name: str) -> bytes:
    """As the browser has it once it is unpacked. A collected file names others by their hashed names."""
    if isinstance(staticfiles_storage, ManifestFilesMixin):
        with staticfiles_storage.open(staticfiles_storage.stored_name(name)) as file:
            return bytes(file.read())
    return (ROOT / name).read_bytes()
