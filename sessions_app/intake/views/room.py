"""What the tablet of a room shows. Nothing here reads `request.user`, and no page names a client."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance import device_lock, rate_limits
from alliance.access import PUBLIC, ROOM, page
from alliance.see_other import see_other
from sessions_app.instruments import client_form
from sessions_app.intake import room_tablets, sending_actions, short_codes

ELSEWHERE = {"filling": "rate:form", "handed in": "rate:done"}
PAGES = {"asking": "code", "unpaired": "pair", "revoked": "revoked", "waiting": "waiting", "sent": "sent"}
FOR_STAFF = {"asking", "unpaired"}
GONE = 410


@require_http_methods(["GET", "HEAD", "POST"])
@page(PUBLIC)
def home(request: HttpRequest) -> HttpResponse:
    """The tablet's one page: pair it, wait, go to the form."""
    state = room_tablets.state_of(request)
    with translation.override("en" if state in FOR_STAFF else _spoken(request)):
        if request.method == "POST":
            return _ask_to_be_paired(request, state)
        return see_other(ELSEWHERE[state]) if state in ELSEWHERE else _show(request, state)


def _spoken(request: HttpRequest) -> str:
    """Nobody knows who sits before the tablet: its own language, as far as the clinic gives the form in it."""
    return client_form.in_force().spoken_to(translation.get_language_from_request(request))


@require_safe
@page(ROOM)
def waiting(request: HttpRequest) -> HttpResponse:
    """The page asks whether there is something else to show; that it asks says that the tablet is awake."""
    found = room_tablets.tablet_of(request)
    if found and found.is_in_use:
        sending_actions.note_seen(tablet=found)
    state = room_tablets.state_of(request)
    return JsonResponse({"state": state, "again": room_tablets.asks_again_after(request, state)})


@require_POST
@page(ROOM)
def start(request: HttpRequest) -> HttpResponse:
    """Give the form that was sent to this tablet to whoever sits before it."""
    found = room_tablets.tablet_of(request)
    token = sending_actions.open_in_room(tablet=found) if found and found.is_in_use else None
    if token is None:
        return see_other("room:home")
    device_lock.lock(request, token=token, return_to="", channel=device_lock.PAIRED)
    return see_other("rate:form")


def _ask_to_be_paired(request: HttpRequest, state: str) -> HttpResponse:
    if state not in {"unpaired", "revoked"}:
        return see_other("room:home")
    try:
        rate_limits.one_try(request, "pairing_shown")
    except rate_limits.TooOften:
        return rate_limits.wait(request, "room/too_often.html")
    logout(request)  # a tablet of a room is nobody's: whoever was signed in here is not any more
    response = see_other("room:home")
    room_tablets.give_key(response, sending_actions.ask_to_be_paired())
    return response


def _show(request: HttpRequest, state: str) -> HttpResponse:
    found, key = room_tablets.tablet_of(request), request.COOKIES.get(room_tablets.COOKIE, "")
    context = {"state": state, "tablet": found}
    if state == "asking":
        context["code"] = short_codes.in_groups(short_codes.pairing_code(key))
    response = render(
        request, f"room/{PAGES[state]}.html", context, status=GONE if state == "revoked" else 200
    )
    if found and found.is_in_use:
        room_tablets.give_key(response, key)
    return response
