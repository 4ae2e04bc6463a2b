"""What somebody sent as their sign-in ended, where the browser itself could not keep it: without scripts.

It waits in the session of that browser, sealed to the person, until the same person signs in there. Every page then
offers to send it once more, or to throw it away. Only what came with a good token is kept: no page of another site
can put words here, and it is sent again by a press alone.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from alliance.access import STAFF, StaffRequest, page
from alliance.drafts import FIELD, keys_of
from alliance.models import User
from alliance.sealing import as_bytes, as_text

_UNSAVED = "unsaved"
_PURPOSE = b"unsaved form"
_AT_MOST = 20_000  # characters: a session is no place for more
# A form that is sent once more says so, and is forgotten when it was saved.
AGAIN = "sent_again"
_SILENT = frozenset({"csrfmiddlewaretoken", AGAIN})


@dataclass(frozen=True)
class Unsaved:
    """One form as it was sent, to this path. `fields`: (name, value)."""

    path: str
    at: datetime
    fields: list[tuple[str, str]]

    @property
    def words(self) -> list[str]:
        """What a person may have typed, for them to know it by."""
        return [value for _, value in self.fields if value.strip() and not _is_code(value)]


def of_request(request: HttpRequest, person: User) -> str:
    """The form of this request, sealed to `person`; empty where there is none to keep, or the browser keeps it."""
    fields = [(name, text) for name, texts in request.POST.lists() for text in texts if name not in _SILENT]
    found = Unsaved(request.get_full_path(), timezone.now(), fields)
    is_of_accounts = request.path.startswith(reverse("account_login").removesuffix("login/"))
    if not found.words or FIELD in request.POST or is_of_accounts or not _has_good_token(request):
        return ""
    content = json.dumps([found.path, found.at.isoformat(), found.fields])
    if len(content) > _AT_MOST:
        return ""
    nonce = secrets.token_bytes(12)
    return as_text(nonce + AESGCM(keys_of(person)[0][:32]).encrypt(nonce, content.encode(), _PURPOSE))


def _has_good_token(request: HttpRequest) -> bool:
    """What Django asks of every POST, but only once it is known which view answers."""
    check = CsrfViewMiddleware(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, discard, (), {}) is None


def keep(request: HttpRequest, sealed: str) -> None:
    if sealed:
        request.session[_UNSAVED] = sealed


def is_kept(request: HttpRequest) -> bool:
    return _UNSAVED in request.session


def forget(request: HttpRequest) -> None:
    request.session.pop(_UNSAVED, None)


def held(request: HttpRequest) -> Unsaved | None:
    """What waits for whoever is signed in here."""
    if not (request.user.is_authenticated and is_kept(request)):
        return None
    content = _opened(request.session[_UNSAVED], request.user)
    if content is None:
        return None
    path, at, fields = json.loads(content)
    return Unsaved(path, datetime.fromisoformat(at), [(name, value) for name, value in fields])


def _opened(sealed: str, person: User) -> bytes | None:
    content = as_bytes(sealed)
    for key in keys_of(person):
        try:
            return AESGCM(key[:32]).decrypt(content[:12], content[12:], _PURPOSE)
        except InvalidTag:
            continue
    return None


@receiver(user_logged_in)
def forget_what_is_somebody_elses(request: HttpRequest, user: User, **kwargs: object) -> None:
    if is_kept(request) and _opened(request.session[_UNSAVED], user) is None:
        forget(request)


@require_POST
@page(STAFF)
def discard(request: StaffRequest) -> HttpResponse:
    forget(request)
    return redirect("home")


def _is_code(text: str) -> bool:
    try:
        return text.isdigit() or bool(UUID(text))
    except ValueError:
        return False
