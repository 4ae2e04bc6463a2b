"""Pages that are sent compressed, for a bad line. Files of the site are compressed by WhiteNoise."""

import gzip
from collections.abc import Callable
from functools import wraps

import brotli
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda content: bytes(brotli.compress(content, quality=5)),
    "gzip": lambda content: gzip.compress(content, compresslevel=6),
}


def compressed(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Only for answers in which nothing of another site's choice stands beside a secret.

    How far a page can be pressed together tells whoever sees its length what repeats in it.
    """

    @wraps(view)
    def smaller(request: HttpRequest) -> HttpResponse:
        response = view(request)
        accepted = {
            part.partition(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")
        }
        patch_vary_headers(response, ["Accept-Encoding"])
        way = next((name for name in WAYS if name in accepted), None)
        if way and response.content:
            response.content = WAYS[way](response.content)
            response.headers["Content-Encoding"] = way
        return response

    return smaller
