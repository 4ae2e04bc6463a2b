"""How allauth is bound to this site: nobody signs themselves up, secrets are sealed at rest."""

import base64
import time
from typing import Any, ClassVar

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.contrib.auth.models import AnonymousUser
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from alliance import (
    device_lock,
    known_browsers,
    lost_key,
    new_browsers,
    password_links,
    rate_limits,
    sign_in_log,
    site_keys,
)
from alliance.mail import send_later
from alliance.models import User

WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code of the app, or a recovery code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """After a hand-over, the client's page (which answers 404 to a therapist who may not see it)."""
        returned_to = device_lock.forget_return(request)
        is_therapist = getattr(request.user, "is_therapist", False)
        return returned_to if returned_to and is_therapist else reverse("home")

    # --- How often somebody may try (ADR 18) ---

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """allauth's, with a limit by address for browsers alone on which this person never signed in."""
        take_back = None
        if not known_browsers.own_tries(request, credentials.get("email", "")):
            try:
                take_back = rate_limits.one_try(request, "sign_in_elsewhere")
            except rate_limits.TooOften:
                raise self.validation_error("too_many_login_attempts") from None
        person: User | None = super().authenticate(request, **credentials)
        if take_back and person:
            take_back()
        return person

    # Private to allauth, which has no public way to choose the key.
    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth counts by e-mail address under this key, and forgets under it after a new password."""
        own_tries = known_browsers.own_tries(request, credentials.get("email", ""))
        return own_tries or super()._get_login_attempts_cache_key(request, **credentials)

    def post_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **how)
        if not known_browsers.is_known(request, user):
            new_browsers.tell(request, user)
        known_browsers.remember(request, response, user)
        return response

    # --- Is it still you? ---

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """allauth's, but the sign-in itself counts too: nobody is asked twice within five minutes."""
        return super().is_reauthentication_required(app=app, **more) and not self._has_just_shown_it()

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """allauth's, in our words."""
        return [{**way, "description": WAYS[way["id"]]} for way in super().get_reauthentication_methods(user)]

    def _has_just_shown_it(self) -> bool:
        shown = get_authentication_records(self.request, self.request.user)
        return bool(shown) and time.time() - shown[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT

    # --- What is told of it ---

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        sign_in_log.sign_in_failed(credentials.get("email", ""))

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        sign_in_log.sign_in_failed(user.email)
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        def written() -> EmailMessage:
            if template_prefix == "account/email/password_reset_key":
                password_links.keep(context["user"])
            mail: EmailMessage = self.render_mail(template_prefix, email, context)
            return mail

        send_later(written)


class MFAAdapter(DefaultMFAAdapter):
    """allauth stores the secret of one-time codes in clear unless these two are overridden."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This is not right, or the code was used already. Wait for the next code and type that. "
        "If none is right, look whether the clock of your phone is set by the network.",
    }

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return lost_key.in_place_of(encrypted_text)

    def is_under_newest_key(self, encrypted_text: str) -> bool:
        try:
            _boxes()[0].decrypt(encrypted_text.encode())
        except InvalidToken:
            return False
        return True

    def _get_site_name(self) -> str:
        return "Session alliance"


def _box() -> MultiFernet:
    return MultiFernet(_boxes())


def _boxes() -> list[Fernet]:
    """The one that seals first, and those that still open."""
    keys = [site_keys.derived(secret, b"second factor secrets") for secret in site_keys.secrets()]
    return [Fernet(base64.urlsafe_b64encode(key)) for key in keys]
