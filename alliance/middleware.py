"""What happens to every request before a view sees it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode, urlsplit, urlunsplit

from allauth.mfa.utils import is_mfa_enabled
from csp.constants import HEADER as CSP_HEADER
from csp.utils import build_policy
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from alliance import (
    approvals,
    device_lock,
    drafts,
    lost_key,
    mail,
    navigation,
    refused_pages,
    session_store,
    unsaved,
)
from alliance.access import CLIENT, PUBLIC, ROOM, SETTLING_IN, PageRule, View, rule_of
from alliance.audit import address_of_request
from alliance.client_address import get_client_ip
from alliance.models import User
from alliance.operations import request_number
from alliance.refused import Gone

GetResponse = Callable[[HttpRequest], HttpResponse]
_SEEN_AT = "seen_at"
_BEGAN_AT = "began_at"
_READS = frozenset({"GET", "HEAD"})
# No address of ours is so long. Django refuses to redirect to one of 16,384 signs, as an attack that it logs.
_LONGEST_PAGE = 4000
# With DEBUG, Django answers these with its own pages, which contain styles.
_DEBUGGED = (404, 500)
_OF_PAGES = ("GET", "HEAD", "POST")
# A look at a page writes the session so often at most: the write is most of what an empty page costs.
SEEN_EVERY = timedelta(minutes=1)
# A page that asks by itself whether something arrived is not somebody being there.
POLL_HEADER = "X-Poll"
# What no page of ours asks a device for, so that none can be made to. Only what Chromium knows by name: of another it
# complains on every page.
PERMISSIONS = ", ".join(
    f"{one}=()"
    for one in (
        *(
            "accelerometer",
            "browsing-topics",
            "camera",
            "display-capture",
            "geolocation",
            "gyroscope",
        ),
        *(
            "hid",
            "idle-detection",
            "local-fonts",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "serial",
            "usb",
        ),
    )
)


def headers(get_response: GetResponse) -> GetResponse:
    """No page is kept by any cache; the address is at hand for the access log.

    The policy is one for all pages, and put together once: the middleware of django-csp does so for each answer,
    which was a seventh of what an empty page costs.
    """
    policy = build_policy()

    def middleware(request: HttpRequest) -> HttpResponse:
        address_of_request.set(get_client_ip(request) or None)
        response = get_response(request)
        response.setdefault("Cache-Control", "no-store")
        if not (settings.DEBUG and response.status_code in _DEBUGGED):
            response.setdefault(CSP_HEADER, policy)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.HTTPS:
            response.setdefault("Reporting-Endpoints", f'policy="{settings.POLICY_REPORTS}"')
        patch_vary_headers(response, ["Cookie"])
        return response

    return middleware


def only_methods_of_pages(get_response: GetResponse) -> GetResponse:
    """Refuse every method but GET, HEAD and POST, before anybody is known or anything is looked up.

    No page takes another, so that the answer is the same to everybody and for every address, and no view of a package
    can mean something by PUT (Django's forms do) or OPTIONS.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method in _OF_PAGES:
            return get_response(request)
        text = "This address takes GET, HEAD and POST alone.\n"
        return HttpResponseNotAllowed(_OF_PAGES, text, content_type="text/plain; charset=utf-8")

    return middleware


def only_utf_8(get_response: GetResponse) -> GetResponse:
    """Refuse whatever declares another charset than UTF-8, before anybody reads a field or the query in it.

    Browsers never do. Django would read the body of a form and the query in it: some of what Python knows under the
    name of a charset makes no text, or fails only while the page that tells of the error is drawn.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        declared = (request.content_params or {}).get("charset")
        if declared is not None and declared.strip().lower() not in {"utf-8", "utf8"}:
            request.encoding = "utf-8"  # for the page that says so
            raise BadRequest("The charset of a request is UTF-8.")
        return get_response(request)

    return middleware


class Sessions(SessionMiddleware):
    """Django's, but a late answer takes no cookie away.

    A second tab's question can be under way while the tablet is handed over. Its answer would delete the
    cookie, by then the client's: the marks could not be handed in any more.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_stale = request.session.is_empty() and not request.session.modified
        response = super().process_response(request, response)
        if is_stale:
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        return response


def know_who_is_signed_in(get_response: GetResponse) -> GetResponse:
    """In place of Django's: the person comes with the session."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: session_store.signed_in(request))  # type: ignore[assignment]
        return get_response(request)

    return middleware


def keep_the_tablet_locked(get_response: GetResponse) -> GetResponse:
    """While a browser holds a grant, only the rating and the sign-in answer; all else leads to the rating."""

    def middleware(request: HttpRequest) -> HttpResponse:
        lock = device_lock.lock_of(request)
        if lock is None:
            return get_response(request)
        if request.user.is_authenticated:
            # Never both: a lock beside a signed-in person means that a flush was missed.
            logout(request)
            return send_to(request, reverse("account_login"))
        if lock.showing and _opens_a_page(request):
            device_lock.stop_showing(request)
        if not device_lock.answers(request, lock):
            return send_to(request, reverse("rate:form"))
        return get_response(request)

    return middleware


def _opens_a_page(request: HttpRequest) -> bool:
    """Not what a page or its worker asks for on its own; a browser that does not tell is believed to open one."""
    return request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def end_old_sign_in(get_response: GetResponse) -> GetResponse:
    """Sign out after `IDLE_MINUTES` without anybody there, and after `SIGNED_IN_HOURS` in any case.

    Polls do not count as somebody. The hours are counted here, because every save of a session moves
    the expiry that Django itself keeps. A look within a minute of the last one is not noted; the page is
    told how old the note is (`idle_for`), and its warning comes in time all the same.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        now = timezone.now()
        began_at = _moment(request, _BEGAN_AT, now)
        seen_at = _moment(request, _SEEN_AT, now)
        idle = now - seen_at > timedelta(minutes=settings.IDLE_MINUTES)
        if idle or now - began_at > _longest(request.user):
            form = unsaved.of_request(request, request.user) if request.method == "POST" else ""
            logout(request)
            unsaved.keep(request, form)
            request.session["signed_out_idle"] = idle
            return _to_sign_in(request)
        if POLL_HEADER not in request.headers and (
            request.method not in _READS or now - seen_at >= SEEN_EVERY
        ):
            request.session[_SEEN_AT], seen_at = now.isoformat(), now
        request.idle_for = now - seen_at  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def _longest(user: User) -> timedelta:
    """How long a sign-in lasts at most: with the password alone, as long as it takes to set up a second factor."""
    if settings.SECOND_FACTOR_REQUIRED and not _has_second_factor(user):
        return timedelta(minutes=settings.SETTLING_IN_MINUTES)
    return timedelta(hours=settings.SIGNED_IN_HOURS)


def _moment(request: HttpRequest, name: str, now: datetime) -> datetime:
    return datetime.fromisoformat(request.session.setdefault(name, now.isoformat()))


class PageRules:
    """Refuse every view that declares no rule, and everyone whom the rule does not name."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        refused_pages.note(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        match = request.resolver_match
        rule = rule_of(view, match.url_name if match else None)
        if rule is None:
            return render(request, "404.html", status=404)
        if rule == PUBLIC:
            return None
        if rule == CLIENT:
            return None if device_lock.lock_of(request) else _nothing_here(request)
        if rule == ROOM:
            return None if getattr(request, "paired_tablet", None) else _nothing_here(request)
        return _refusal(request, rule)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What a page was about was erased while it was written to: it is not there any more."""
        if isinstance(exception, lost_key.CannotBeOpened):
            context = {"set_up_anew": lost_key.SET_UP_ANEW}
            return render(request, "mfa/lost_key.html", context, status=409)
        return render(request, "404.html", status=404) if isinstance(exception, Gone) else None


def _nothing_here(request: HttpRequest) -> HttpResponse:
    """For somebody of whom nothing is known but their browser, and so in its language."""
    with translation.override(translation.get_language_from_request(request)):
        # Whoever was led to the last page and has no session any more, has handed in all the same.
        is_done = request.resolver_match is not None and request.resolver_match.view_name == "rate:done"
        return render(request, "rate/nothing_here.html", {"is_done": is_done}, status=404)


def _refusal(request: HttpRequest, rule: PageRule) -> HttpResponse | None:
    user = request.user
    if not user.is_authenticated:
        return _to_sign_in(request)
    if user.approvals_are_due:
        # Whoever reads first after the 48 hours lets it take effect, and reads as it is then.
        approvals.take_due()
        user.refresh_from_db()
    if rule == SETTLING_IN:
        return None
    if settings.SECOND_FACTOR_REQUIRED and not _has_second_factor(user):
        messages.info(
            request, "Before you start, set up a second factor: an app with one-time codes, or a passkey."
        )
        return send_to(request, reverse("mfa_index"))
    if rule.roles and not user.has_any_role(rule.roles):
        return refused_pages.for_others(request, rule.roles)
    return None


def _has_second_factor(user: User) -> bool:
    known = user.holds_second_factor
    return bool(is_mfa_enabled(user)) if known is None else known


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, from which one comes back to where one was."""
    said = {REDIRECT_FIELD_NAME: _page_it_was_on(request)}
    if request.method not in _READS and POLL_HEADER not in request.headers:
        # The sign-in page says that what was sent is not saved, and whether it is lost.
        is_kept = drafts.FIELD in request.POST or unsaved.is_kept(request)
        said["unsaved"] = "kept" if is_kept else "lost"
    query = urlencode({name: value for name, value in said.items() if value})
    sign_in = reverse(settings.LOGIN_URL) + (f"?{query}" if query else "")
    return send_to(request, sign_in) if request.headers.get("HX-Request") else redirect(sign_in)


def _page_it_was_on(request: HttpRequest) -> str:
    """Path and query of the page whose request this is; empty where the browser does not say, or lies.

    Of a piece or a POST that is the page around it: its own address may take no GET. The header is the browser's
    own word, so another site's address in it leads nowhere.
    """
    if request.method in _READS and not request.headers.get("HX-Request"):
        whole = request.get_full_path()
        return whole if len(whole) <= _LONGEST_PAGE else ""
    said = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if len(said) > _LONGEST_PAGE or not url_has_allowed_host_and_scheme(
        said, {request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    parts = urlsplit(said)
    page = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return "" if parts.path == reverse(settings.LOGIN_URL) else page


def send_to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the whole browser to `url`, also where only a piece of a page was asked for."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    response = redirect(url)
    response.status_code = 303
    return response


def site(request: HttpRequest) -> dict[str, object]:
    """What every page may say about the site itself."""
    return {
        "product_name": "Session alliance",
        "idle_minutes": settings.IDLE_MINUTES,
        "idle_seconds": int(getattr(request, "idle_for", timedelta()).total_seconds()),
        "demo": settings.DEMO,
        "sends_mail": mail.is_set_up(),
        "request_number": request_number.number(),
        "places": partial(navigation.places, request),
        "is_account": partial(navigation.is_account, request),
        # Asked for by the client's pages alone: they speak otherwise on a phone than on the clinic's tablet.
        "unsaved": SimpleLazyObject(lambda: unsaved.held(request)),
        "lock": SimpleLazyObject(lambda: device_lock.lock_of(request)),
    }
