"""Sign-ins in the access log: who came in, who tried to, and what was changed about the way in.

The way in is allauth's alone, so its signals tell of it. Signing out is Django's: it is told at the button, at
a hand-over and when the time is up.
"""

from typing import Any

from allauth.account.signals import (
    authentication_step_completed,
    password_changed,
    password_reset,
    password_set,
    user_logged_in,
)
from allauth.mfa import signals as second_factor
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User

# The log can never be shortened: whoever tries all night long adds a line in ten minutes, and not a thousand.
QUIET_FOR = 10 * 60


@receiver(user_logged_in)
def signed_in(user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    audit.record(LogEvent.SIGNED_IN, user, by=user)
    if request is not None and settings.SECOND_FACTOR_REQUIRED and not is_mfa_enabled(user):
        _end_other_sessions(user, but=request.session.session_key)


def _end_other_sessions(user: User, but: str | None) -> None:
    """Whoever has a password alone has one session at a time: those of before grow no heap of half-open doors."""
    user.browser_sessions.exclude(session_key=but).delete()
    UserSession.objects.filter(user=user).exclude(session_key=but).delete()


@receiver(authentication_step_completed)
def change_key_on_reauthentication(
    request: HttpRequest, reauthenticated: bool = False, **kwargs: Any
) -> None:
    """A new session key for a person who has re-authenticated: a key that was copied before opens nothing any more.

    allauth itself changes the key at a sign-in alone.
    """
    if reauthenticated:
        former = request.session.session_key
        request.session.cycle_key()
        UserSession.objects.filter(session_key=former).update(session_key=request.session.session_key)


@receiver(user_logged_out)
def signed_out(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record(LogEvent.SIGNED_OUT, user, by=user)


def sign_in_failed(email: str) -> None:
    """A wrong password, or somebody who may not sign in any more. An address of nobody here is not kept."""
    person = User.objects.filter(email__iexact=email).first()
    if person is not None and _is_news("password", person):
        audit.record(LogEvent.SIGN_IN_FAILED, person, by=None)


@receiver(second_factor.authentication_failed)
def second_factor_failed(user: User, **kwargs: Any) -> None:
    """Worth a line of its own: whoever came as far as this had the right password."""
    if _is_news("second factor", user):
        audit.record(LogEvent.SECOND_FACTOR_FAILED, user, by=None)


def _is_news(what: str, person: User) -> bool:
    return bool(cache.add(f"failed:{what.replace(' ', '-')}:{person.pk}", True, QUIET_FOR))


@receiver([password_changed, password_set])
def chose_another_password(user: User, **kwargs: Any) -> None:
    audit.record(LogEvent.PASSWORD_CHANGED, user, by=user)


@receiver(password_reset)
def chose_a_password_by_link(user: User, **kwargs: Any) -> None:
    audit.record(LogEvent.PASSWORD_RESET, user, by=user)


@receiver(second_factor.authenticator_added)
def second_factor_added(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    audit.record(LogEvent.SECOND_FACTOR_ADDED, user, by=user, factor=str(authenticator.type))


@receiver(second_factor.authenticator_removed)
def second_factor_removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    audit.record(LogEvent.OWN_SECOND_FACTOR_REMOVED, user, by=user, factor=str(authenticator.type))


@receiver(second_factor.authenticator_reset)
def recovery_codes_renewed(user: User, **kwargs: Any) -> None:
    audit.record(LogEvent.RECOVERY_CODES_RENEWED, user, by=user)
