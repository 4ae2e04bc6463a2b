"""Half-written notes: kept in the browser, sealed so that only the person who wrote them reads them again.

The browser holds ciphertext alone (`static/drafts/`). The key is drawn from SECRET_KEY for one person, given to
pages on which that person is signed in, and held in the memory of the page: whoever else has the computer, or the
tablet after a hand-over, has no way to it. See docs/adr/0052-drafts-in-the-browser.md.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from alliance.access import STAFF, StaffRequest, page
from alliance.models import User
from alliance.sealing import as_text

FOR_DRAFTS = b"session alliance: drafts of "
# With a form that has a draft: its random name, which says nothing of what is in it.
FIELD = "draft"
# The draft that was saved, told to the script of the next page, which may be any page.
SAVED = "saved_draft"
TOLD_FOR = 3600  # seconds


def keys_of(person: User) -> list[bytes]:
    """64 bytes for each of the site's keys, the present one first: half of them seal, half give names."""
    return [_derived(secret, person) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _derived(secret: str, person: User) -> bytes:
    salt, purpose = bytes.fromhex(person.draft_salt), FOR_DRAFTS + person.pk.bytes
    derive: Any = HKDF(algorithm=hashes.SHA256(), length=64, salt=salt, info=purpose)
    derived: bytes = derive.derive(secret.encode())
    return derived


@require_safe
@page(STAFF)
def keys(request: StaffRequest) -> HttpResponse:
    """The keys of whoever is signed in. `middleware.headers` says that no cache keeps them."""
    return JsonResponse({"keys": [as_text(key) for key in keys_of(request.user)]})


def tell_what_was_saved(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Say to the browser that a form with a draft was saved, so that the draft can go.

    Saved is what a page of ours answers with another page, or with a piece for htmx. A form with errors (422), a
    preview (200), a sign-in page and one that asks the password first keep their drafts.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and _is_saved(request, response):
            draft = _as_code(request.POST.get(FIELD, ""))
            if draft:
                response.set_cookie(
                    *(SAVED, str(draft)),
                    max_age=TOLD_FOR,
                    secure=settings.SESSION_COOKIE_SECURE,
                    samesite="Strict",
                )
        return response

    return middleware


def _is_saved(request: HttpRequest, response: HttpResponse) -> bool:
    if "HX-Redirect" in response.headers:
        goes_to = response.headers["HX-Redirect"]
    elif response.status_code in (302, 303):
        goes_to = response.headers["Location"]
    else:
        return response.status_code == 200 and bool(request.headers.get("HX-Request"))
    return not goes_to.startswith(reverse("account_login").removesuffix("login/"))


def _as_code(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
