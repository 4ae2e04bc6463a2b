"""Codes of an app as a second factor: good a little before and after their half minute, and once."""

from typing import Any

from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError

from alliance import lost_key
from alliance.account_forms import Labelled

# RFC 6238, 5.2: what was accepted once must not be accepted again. allauth remembers a code for the half minute
# it is made for; with the tolerance (6: steps forward and backward) it is good for longer than that.
PERIOD = 30
REMEMBERED_FOR = PERIOD * (2 * settings.MFA_TOTP_TOLERANCE + 1)


class OnceOnly:
    """A code that was used is as wrong as any other: counted, told in the log, answered alike."""

    user: Any
    cleaned_data: dict[str, Any]
    authenticator: Authenticator

    def clean_code(self) -> str:
        used = f"second-factor-used:{self.user.pk}:{_digits(self.cleaned_data['code'])}"
        if cache.get(used):
            self.cleaned_data["code"] = "used"
        with lost_key.passing_over() as passed_over:
            try:
                code: str = super().clean_code()  # type: ignore[misc]
            except ValidationError as error:
                raise ValidationError(lost_key.SET_UP_ANEW) if passed_over else error from None
        cache.set(used, True, REMEMBERED_FOR)
        return code


class AuthenticateForm(Labelled, OnceOnly, forms.AuthenticateForm):
    """At the sign-in."""


class ReauthenticateForm(Labelled, OnceOnly, forms.ReauthenticateForm):
    """Where it is asked once more whether it is you."""


def _digits(typed: str) -> str:
    """allauth, too, reads a code past spaces and dashes."""
    return "".join(sign for sign in typed if sign.isalnum()).lower()
