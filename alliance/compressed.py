"""Pages that are sent compressed, for a bad line. Files of the site are compressed by WhiteNoise.

How far a page can be pressed together tells whoever sees its length what repeats in it (BREACH): somebody who can make
a browser ask for a page again and again, with words of their choice in it, guesses what stands there sign by sign.
"""

import gzip
from collections.abc import Callable
from functools import wraps

import brotli
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda content: bytes(brotli.compress(content, quality=5)),
    "gzip": lambda content: gzip.compress(content, compresslevel=6),
}


def compressed(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Only for answers in which nothing of another site's choice stands beside a secret."""

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


def never_compressed(response: HttpResponse) -> HttpResponse:
    """This answer as it is: it shows what opens something, such as a link, the same each time it is asked for."""
    response.never_compressed = True  # type: ignore[attr-defined]
    return response


class StaffPages(GZipMiddleware):
    """Pages of staff, with Django's padding of random length.

    Only where the browser says that the site itself, or the person, asked: what another site makes it ask for is
    never compressed, so nobody can watch the length of what they chose. The padding is there for what is left, and
    what repeats is masked in each answer: the token of forms by Django, the key of a form by being new.
    Pages of packages (accounts, second factors) declare no rule of their own, and are left as they are.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not may_be_compressed(request, response):
            return response
        return super().process_response(request, response)


def may_be_compressed(request: HttpRequest, response: HttpResponseBase) -> bool:
    match = request.resolver_match
    if (
        match is None
        or response.streaming
        or not response.headers.get("Content-Type", "").startswith("text/html")
    ):
        return False
    rule = getattr(match.func, "page_rule", None)
    is_of_staff = rule is not None and rule.kind == "staff"
    is_asked_by_the_site = request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")
    return is_of_staff and is_asked_by_the_site and not getattr(response, "never_compressed", False)
