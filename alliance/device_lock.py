"""The device lock (kiosk mode): what the browser's session may hold while the client has the device.

A hand-over is *flush, rotate, grant*: the therapist's session is destroyed, a new anonymous one
holds only this lock. It is never "parked": Chromium shows the therapist's page again on Back from
its back/forward cache unless the cookie itself changed (measured: 12 of 20 tries against 0 of 10).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.urls import Resolver404, resolve

from alliance.access import CLIENT, rule_of

_LOCK = "device_lock"
_RETURN = "return_to"
SIGN_IN_PAGES = frozenset({"account_login", "mfa_authenticate", "health"})
# They know nobody. A device renews every worker that it has, whatever it shows just now.
DEVICE_PAGES = frozenset({"rate:upload", "rate:worker", "room:worker", "go:worker"})
# How the browser came by its grant: handed over, by a link on the client's own phone, sent to a room.
TABLET, PHONE, PAIRED = "tablet", "phone", "paired"
ON_A_PHONE_FOR = 72 * 3600  # as long as its link


@dataclass(frozen=True)
class DeviceLock:
    """A locked browser. `token` opens one grant; it is empty once the tablet is to be handed back.

    `rated`: whether marks arrived, so that the last page never says so of a client who declined.
    `language`: what the pages go on speaking when there is no grant any more to ask.
    `showing`: the page it was given last shows the client's own marks. It holds none of them.
    `passed`: the code of the round in which it goes from hand to hand; empty where it goes back to staff.
    `sentence_of`: the form whose sentence of the clinic stands under the thanks, whatever was answered to it.
    """

    token: str
    return_to: str
    rated: bool = False
    language: str = ""
    channel: str = TABLET
    just_now: bool = False
    showing: bool = False
    passed: str = ""
    sentence_of: str = ""

    @property
    def nobody_had_it(self) -> bool:
        """Whether no form was open on it since it was locked: `hand_in` leaves a language, `pass_on` a token."""
        return not (self.token or self.language)

    @property
    def handed_in(self) -> bool:
        return not self.token


def lock_of(request: HttpRequest) -> DeviceLock | None:
    held = request.session.get(_LOCK)
    return DeviceLock(**held) if held else None


def lock(
    request: HttpRequest, *, token: str, return_to: str, channel: str = TABLET, passed: str = ""
) -> None:
    """Destroy the session of whoever was signed in and give this browser one grant, in a new cookie."""
    logout(request)  # flushes: the old session row is gone, and so is its key
    request.user = AnonymousUser()
    rotate_token(request)  # a form of staff that was saved or is still open opens nothing here any more
    request.session[_LOCK] = {"token": token, "return_to": return_to, "channel": channel}
    if passed:
        request.session[_LOCK] = {**request.session[_LOCK], "passed": passed}
    if channel == PHONE:
        # Its link opens only once: a phone whose browser was closed must find its form again.
        request.session.set_expiry(ON_A_PHONE_FOR)


def handed_in_just_now(request: HttpRequest) -> None:
    """Without scripts: what the next page needs to know, and no page after it."""
    request.session[_LOCK] = {**request.session[_LOCK], "just_now": True}


def hand_in(request: HttpRequest, *, rated: bool, language: str, sentence_of: str = "") -> None:
    """It is over: rotate the cookie again, so that Back cannot show the answers, and stay locked."""
    held = request.session.get(_LOCK, {"return_to": ""})
    held.pop("just_now", None)
    request.session.flush()
    last = {"token": "", "rated": rated, "language": language}
    if sentence_of:
        last["sentence_of"] = sentence_of
    request.session[_LOCK] = {**held, **last}


def go_on(request: HttpRequest, *, token: str) -> None:
    """The next form of the set, in a new cookie: Back cannot show the answers to the one before."""
    held = {**request.session[_LOCK], "token": token}
    held.pop("just_now", None)
    lasts = request.session.get_expiry_age() if held.get("channel") == PHONE else None
    request.session.flush()
    rotate_token(request)
    request.session[_LOCK] = held
    if lasts is not None:
        request.session.set_expiry(lasts)


def pass_on(request: HttpRequest, *, token: str) -> None:
    """The next person's form, in a new cookie, and nothing of whoever had the tablet before."""
    held = request.session[_LOCK]
    kept = {name: held[name] for name in ("return_to", "channel", "passed")}
    request.session.flush()
    rotate_token(request)
    request.session[_LOCK] = {**kept, "token": token}


def show_marks(request: HttpRequest) -> None:
    """The answer to this request shows the client's own marks, once: whatever is asked for next ends it."""
    request.session[_LOCK] = {**request.session[_LOCK], "showing": True}


def stop_showing(request: HttpRequest) -> None:
    """Rotate the cookie once more: Back must not bring the marks from the back/forward cache."""
    held = request.session[_LOCK]
    request.session.flush()
    request.session[_LOCK] = {**held, "showing": False}


def answers(request: HttpRequest, lock: DeviceLock) -> bool:
    """Whether a locked browser answers this path; everything else leads back to the rating."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    if match.view_name in SIGN_IN_PAGES | DEVICE_PAGES or rule_of(match.func, match.url_name) == CLIENT:
        return True
    if match.namespace == "go":
        return lock.channel == PHONE  # the next session's link, in a browser that was never closed
    return match.namespace == "room" and (lock.channel == PAIRED or hasattr(request, "paired_tablet"))


@receiver(user_logged_in)
def unlock(request: HttpRequest, **kwargs: object) -> None:
    """Only a full sign-in of a member of staff ends the lock."""
    held = request.session.pop(_LOCK, None)
    if held:
        request.session[_RETURN] = held["return_to"]


def forget_return(request: HttpRequest) -> str:
    """Where the hand-over began, once; empty where there was none."""
    return str(request.session.pop(_RETURN, ""))


def finish_if(held: dict[str, Any], is_ours: Callable[[str], bool]) -> bool:
    """Take the grant out of stored session data whose token `is_ours`; whether there was one.

    The browser stays locked: its next page asks for the device back.
    """
    lock = held.get(_LOCK)
    if not lock or not lock["token"] or not is_ours(lock["token"]):
        return False
    held[_LOCK] = {**lock, "token": "", "return_to": "", "rated": False}
    return True
