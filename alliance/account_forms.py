"""allauth's forms with our labels, and without grey words inside the fields, which vanish as one types."""

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.totp import forms as totp

_EMAIL = "E-mail address"
_PASSWORDS = {"password1": "New password", "password2": "New password once more"}


class Labelled:
    labels: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            field.label = self.labels.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(Labelled, account.LoginForm):
    labels: ClassVar[dict[str, str]] = {"login": _EMAIL}


class ChangePasswordForm(Labelled, account.ChangePasswordForm):
    labels: ClassVar[dict[str, str]] = {"oldpassword": "Present password", **_PASSWORDS}


class ResetPasswordForm(Labelled, account.ResetPasswordForm):
    labels: ClassVar[dict[str, str]] = {"email": _EMAIL}


class ResetPasswordKeyForm(Labelled, account.ResetPasswordKeyForm):
    labels: ClassVar[dict[str, str]] = _PASSWORDS


class ReauthenticateForm(Labelled, account.ReauthenticateForm):
    """The password once more."""


class ActivateTOTPForm(Labelled, totp.ActivateTOTPForm):
    labels: ClassVar[dict[str, str]] = {"code": "Code that the app shows now"}
