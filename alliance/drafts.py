"""Half-written notes: kept in the browser, sealed so that only the person who wrote them reads them again.

The browser holds ciphertext alone (`static/drafts/`). The key is drawn from SECRET_KEY for one person, given to
pages on which that person is signed in, and held in the memory of the page: whoever else has the computer, or the
tablet after a hand-over, has no way to it. See docs/adr/0052-drafts-in-the-browser.md.
"""

from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from alliance.access import STAFF, StaffRequest, page
from alliance.models import User
from alliance.sealing import as_text

FOR_DRAFTS = b"session alliance: drafts of "
# With a form that has a draft: its random name, which says nothing of what is in it.
FIELD = "draft"


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
