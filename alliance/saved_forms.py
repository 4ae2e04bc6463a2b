"""Whether a form was saved, said to what kept its words meanwhile: the browser, or the session."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from alliance import drafts, unsaved

# The draft that was saved, told to the script of the next page, which may be any page.
SAVED = "__Host-saved_draft" if settings.HTTPS else "saved_draft"
TOLD_FOR = 3600  # seconds


def tell_what_was_saved(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Say to the browser that a form with a draft was saved, so that the draft can go; forget what waited.

    Saved is what a page of ours answers with another page, or with a piece for htmx. A form with errors (422), a
    preview (200), a sign-in page and one that asks the password first keep their drafts.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and _is_saved(request, response):
            if unsaved.AGAIN in request.POST:
                unsaved.forget(request)
            draft = _as_code(request.POST.get(drafts.FIELD, ""))
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
