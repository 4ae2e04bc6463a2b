"""Links on which a person chooses a password: one is good at a time, for its time, until a password was chosen.

A salt in the person's row goes into the signature. Drawing a link writes another salt, and with it every earlier link
is void: also one that an administrator was shown, or that lies in a mailbox. Django's own generator draws from the
password, the last sign-in and the address too, so that a link is void once it was used.
"""

import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils import timezone

from alliance.models import User

# The person waits at the screen for the mail; whoever finds it later finds nothing.
RESET_GOOD_FOR = timedelta(hours=1)
# An invitation is handed over by somebody, perhaps before a weekend.
INVITATION_GOOD_FOR = timedelta(hours=72)


class LinkGenerator(PasswordResetTokenGenerator):
    """Django's, for links that replace each other; allauth is told of it in the settings."""

    def make_token(self, user: Any) -> str:
        """A link that was asked for at the sign-in. It is good once `keep` has written it, which no answer waits for.

        A write here would tell by its time that the address is of somebody (docs/adr/0042).
        """
        _renew(user, RESET_GOOD_FOR)
        return super().make_token(user)

    def check_token(self, user: Any, token: str | None) -> bool:
        if user is None or user.link_good_until is None or user.link_good_until < timezone.now():
            return False
        return bool(user.is_active) and super().check_token(user, token)

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.link_salt}"


def _renew(user: User, good_for: timedelta) -> None:
    user.link_salt, user.link_good_until = secrets.token_hex(16), timezone.now() + good_for


def keep(user: User) -> None:
    """Write that the link which was just drawn is the one that is good."""
    User.objects.filter(pk=user.pk).update(link_salt=user.link_salt, link_good_until=user.link_good_until)


def invitation(user: User, good_for: timedelta = INVITATION_GOOD_FOR) -> str:
    """The key of an invitation, which is good at once."""
    _renew(user, good_for)
    keep(user)
    return super(LinkGenerator, _GENERATOR).make_token(user)


_GENERATOR = LinkGenerator()
