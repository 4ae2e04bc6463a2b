"""The tablet of a room: its key in the browser, and what a browser that holds one may reach.

The key is no sign-in. It waits for a form and opens the one it was sent; nothing else answers it, and
its cookie outlives every session, so that a tablet is paired once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from alliance import device_lock
from alliance.access import CLIENT, rule_of
from alliance.middleware import send_to
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.tablets import PairedTablet

COOKIE = "__Host-room" if settings.HTTPS else "room"
KEPT_FOR = timedelta(days=400)  # browsers keep no cookie for longer; each visit to /room/ renews it


def give_key(response: HttpResponse, key: str) -> None:
    response.set_cookie(
        COOKIE, key, max_age=KEPT_FOR, secure=settings.HTTPS, httponly=True, samesite="Lax", path="/"
    )


def tablet_of(request: HttpRequest) -> PairedTablet | None:
    found: PairedTablet | None = getattr(request, "paired_tablet", None)
    return found


def keep_the_paired_tablet_to_its_room(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A browser with the key of a tablet in use opens its room and the form it was sent; all else leads to the room."""

    def middleware(request: HttpRequest) -> HttpResponse:
        key = request.COOKIES.get(COOKIE)
        found = PairedTablet.objects.with_key(key).first() if key else None
        if found is None:
            return get_response(request)
        request.paired_tablet = found  # type: ignore[attr-defined]
        if found.is_in_use:
            if request.user.is_authenticated:
                # Never both: somebody signed in here while the pairing code was being entered.
                logout(request)
                return send_to(request, reverse("room:home"))
            if not _answers(request):
                return send_to(request, reverse("room:home"))
        return get_response(request)

    return middleware


def _answers(request: HttpRequest) -> bool:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    if rule_of(match.func, match.url_name) == CLIENT:
        return device_lock.lock_of(request) is not None
    return match.namespace == "room" or match.view_name in {"health", *device_lock.DEVICE_PAGES}


def state_of(request: HttpRequest) -> str:
    """What this browser's page should show now; the page asks every two seconds and follows."""
    found, now = tablet_of(request), timezone.now()
    if found is None:
        return "unpaired"
    if not found.is_in_use:
        asking = "asking" if found.is_asking(now) else "unpaired"
        return "revoked" if found.revoked_at else asking
    sent = RatingGrant.objects.sent_to(found, now)
    held = _grant_in_hand(request)
    if held is None or (sent is not None and sent != held):
        return "sent" if sent else "waiting"
    if hasattr(held, "rating") or held.set_aside.exists():
        return "handed in"
    return "filling" if held.can_be_finished(now) else "waiting"


def _grant_in_hand(request: HttpRequest) -> RatingGrant | None:
    lock = device_lock.lock_of(request)
    if lock is None or lock.handed_in:
        return None
    held: RatingGrant | None = RatingGrant.objects.with_token(lock.token).select_related("rating").first()
    return held


def tablets_in_use(now: datetime) -> QuerySet[PairedTablet]:
    """The tablets one can send to, each with `has_form`: somebody's form is open there."""
    here = RatingGrant.objects.in_rooms(now).filter(paired_tablet=OuterRef("pk"))
    return PairedTablet.objects.in_use().annotate(has_form=Exists(here))
