"""The tablet of a room: its key in the browser, and what a browser that holds one may reach.

The key is no sign-in. It waits for a form and opens the one it was sent; nothing else answers it, and
its cookie outlives every session, so that a tablet is paired once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from alliance import device_lock
from alliance.access import CLIENT, rule_of
from alliance.middleware import send_to
from alliance.models import BrowserSession
from alliance.prepared import Prepared
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.tablets import PairedTablet
from sessions_app.courses.tokens import hash_of_token

# Seconds until a tablet asks again: where a form may be sent any moment, and else.
BRISKLY, SELDOM = 2, 15
IS_NEW_FOR = timedelta(hours=1)
# Whoever sent a form to this tablet in the last weeks, and nobody else, is expected to send one again.
SENT_LATELY = timedelta(days=30)
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
        found = _read(key, asks=request.path_info == reverse("room:waiting")) if key else None
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


def _read(key: str, *, asks: bool) -> PairedTablet | None:
    """The tablet with this key; where it asks what to show, with the answer, in the same query."""
    if not asks:
        return PairedTablet.objects.with_key(key).first()
    now = timezone.now()
    return _THAT_ASKS.first(
        key_hash=hash_of_token(key),
        now=now,
        since=now - SENT_LATELY,
        # The expiry moves with every save, and a sign-in is saved once a minute while somebody is there.
        until=now + timedelta(seconds=settings.SESSION_COOKIE_AGE, minutes=-settings.IDLE_MINUTES),
    )


def _that_asks(key_hash: str, now: datetime, since: datetime, until: datetime) -> QuerySet[PairedTablet]:
    """With `sent_grant`, the form it should show, and `is_expected`: whether it may be sent one any moment.

    That is so while somebody who sends forms to this tablet is signed in and at the screen.
    """
    here = RatingGrant.every.in_rooms(now).filter(paired_tablet=OuterRef("pk")).order_by("-pk")
    sent = RatingGrant.every.filter(paired_tablet=OuterRef(OuterRef("pk")), open_until__gt=since)
    senders = BrowserSession.objects.filter(expire_date__gt=until, person__in=sent.values("made_by"))
    return (
        PairedTablet.objects.filter(key_hash=key_hash)
        .order_by()
        .annotate(sent_grant=Subquery(here.values("pk")[:1]), is_expected=Exists(senders))
    )


_THAT_ASKS = Prepared(_that_asks, key_hash=str, now=datetime, since=datetime, until=datetime)


def _answers(request: HttpRequest) -> bool:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    if rule_of(match.func, match.url_name) == CLIENT:
        return device_lock.lock_of(request) is not None
    return match.namespace == "room" or match.view_name in {"health", *device_lock.DEVICE_PAGES}


def state_of(request: HttpRequest) -> str:
    """What this browser's page should show now; the page asks again and again, and follows."""
    found, now = tablet_of(request), timezone.now()
    if found is None:
        return "unpaired"
    if not found.is_in_use:
        asking = "asking" if found.is_asking(now) else "unpaired"
        return "revoked" if found.revoked_at else asking
    sent = _sent_to(found, now)
    held = _grant_in_hand(request)
    if held is None or (sent is not None and sent != held.pk):
        return "sent" if sent else "waiting"
    if held.has_delivered:
        return "handed in"
    return "filling" if held.can_be_finished(now) else "waiting"


def asks_again_after(request: HttpRequest, state: str) -> int:
    """Seconds until the tablet should ask again. Seldom while it waits and nobody is about to send.

    Whoever is signed in for longer than `SELDOM` and sent a form here before finds it asking briskly. The
    first form of somebody else, or one sent right after signing in, may take `SELDOM` seconds to show.
    """
    found = tablet_of(request)
    if state != "waiting" or found is None or found.paired_at is None:
        return BRISKLY
    is_new = timezone.now() - found.paired_at < IS_NEW_FOR
    return BRISKLY if is_new or getattr(found, "is_expected", True) else SELDOM


def _sent_to(found: PairedTablet, now: datetime) -> int | None:
    if hasattr(found, "sent_grant"):
        known: int | None = found.sent_grant
        return known
    newest = RatingGrant.every.sent_to(found, now)
    return newest.pk if newest else None


def _grant_in_hand(request: HttpRequest) -> RatingGrant | None:
    lock = device_lock.lock_of(request)
    if lock is None or lock.handed_in:
        return None
    held: RatingGrant | None = RatingGrant.every.with_token(lock.token).select_related("rating").first()
    return held


def tablets_in_use(now: datetime) -> QuerySet[PairedTablet]:
    """The tablets one can send to, each with `has_form`: somebody's form is open there."""
    here = RatingGrant.every.in_rooms(now).filter(paired_tablet=OuterRef("pk"))
    return PairedTablet.objects.in_use().annotate(has_form=Exists(here))
