"""What is looked at in a restored copy: rows, triggers, the access log's chain, the keys, a sign-in, a page.

Runs in a process whose database is the copy (`copy_process`). Its sentences name nobody.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Iterator
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Browser
from django.test import override_settings
from django.urls import reverse

from alliance import key_rotation, sealing, triggers
from alliance.log_verification import Verification
from alliance.models import BrowserSession, User
from alliance.operations import kept_rows, manifest

# Of one kind: who changed a year of lines is told of in some.
SENTENCES = 20
STEP_OF_CODES = 30


def ask(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def as_stored(told: dict[str, Any]) -> Iterator[str]:
    """Before anything is done to it: what the manifest `told` must be there, and every protection."""
    yield from differing_rows(told)
    yield from missing_triggers()


def differing_rows(told: dict[str, Any]) -> Iterator[str]:
    return manifest.differing_rows(told, ask)


def missing_triggers() -> Iterator[str]:
    if not is_behind():  # what a later version declares is not there yet
        for name in triggers.missing_triggers(connection):
            yield f"The trigger {name} was missing, or not as it has to be: rows could be changed."


def is_behind() -> bool:
    """Whether the program has migrations that the copy has not."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def bring_up_to_date() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def of_the_log() -> Iterator[str]:
    for number, sentence in enumerate(Verification().findings()):
        if number == SENTENCES:
            yield "And more of the access log."
            return
        yield sentence


def of_the_keys(told: dict[str, Any]) -> Iterator[str]:
    """Whether the present SECRET_KEY opens what an earlier one sealed."""
    held = {
        sealing.public_key_of(secret)[0] for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    }
    if told["sealing_key"] not in held:
        yield (
            "SECRET_KEY is not the one of this backup, nor is one of SECRET_KEY_FALLBACKS: marks that wait on devices "
            "cannot be opened. Put the old one into SECRET_KEY_FALLBACKS."
        )
    words = key_rotation.count_words()
    if words.closed:
        yield (
            f"{words.closed:,} of {words.total:,} comments, notes and reasons cannot be read with the present "
            "SECRET_KEY. Put the old one into SECRET_KEY_FALLBACKS."
        )
    secret_ones = list(Authenticator.objects.filter(type=Authenticator.Type.TOTP))
    if closed := sum(_secret(one) is None for one in secret_ones):
        yield (
            f"{closed} of {len(secret_ones)} second factors cannot be opened with the present SECRET_KEY: these people "
            "would have to set theirs up anew."
        )


def of_a_sign_in() -> Iterator[str]:
    """Somebody signs in with their second factor and opens their pages: on the copy, with a password set on it."""
    # Where a backup is restored, the program's static files may not be collected yet. So this does not look whether
    # they are whole: `doctor` does.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        found = _who_can_sign_in()
        if found and (sentence := _signed_in(*found)):
            yield sentence


def sign_everybody_out() -> None:
    """Whoever was signed in when the backup was made: a device may have been stolen since."""
    BrowserSession.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM usersessions_usersession")
    cache.clear()


def _who_can_sign_in() -> tuple[User, str | None] | None:
    """Somebody whose app for one-time codes can be opened: a therapist, if there is one, whose pages show most.

    Where nobody has such an app, somebody without: passkeys cannot be tried from here. None on a site without people.
    """
    apps = Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__is_active=True)
    for app in apps.select_related("user").order_by("-user__is_therapist", "pk"):
        if (secret := _secret(app)) is not None:
            return app.user, secret
    others = User.objects.filter(is_active=True, authenticator=None).order_by("-is_therapist", "pk")
    return next(((person, None) for person in others), None)


def _secret(app: Authenticator) -> str | None:
    try:
        return str(get_adapter().decrypt(app.data["secret"]))
    except Exception:  # of several libraries, and all mean the same
        return None


def _code_of_now(secret: str) -> str:
    """What the app of this secret shows (RFC 6238, RFC 4226): six digits."""
    counter = (int(time.time()) // STEP_OF_CODES).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret, casefold=True), counter, "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def _signed_in(person: User, secret: str | None) -> str:
    """A sentence where it does not work."""
    cache.clear()  # a code that was used a moment before the backup was made could not be used again
    password = secrets.token_urlsafe(32)
    person.set_password(password)
    person.save(update_fields=["password"])
    browser = Browser(headers=_as_behind_the_proxy())
    answer = browser.post(
        reverse("account_login"), {"login": person.email, "password": password}, secure=True
    )
    if secret is not None:
        if answer.status_code != 302 or "2fa" not in answer.headers["Location"]:
            return (
                f"A sign-in with a new password was not led on to the second factor ({answer.status_code})."
            )
        code = _code_of_now(secret)
        answer = browser.post(reverse("mfa_authenticate"), {"code": code}, secure=True)
    if answer.status_code != 302:
        return f"A sign-in with the stored second factor did not succeed ({answer.status_code})."
    if secret is None and settings.SECOND_FACTOR_REQUIRED:
        return ""  # led on to setting one up
    for address in [reverse("home"), *kept_rows.pages_to_try(person)]:
        answer = browser.get(address, follow=True, secure=True)
        if answer.status_code != 200 or not answer.wsgi_request.user.is_authenticated:
            return f"After a sign-in a page could not be shown ({answer.status_code})."
    return ""


def _as_behind_the_proxy() -> dict[str, str]:
    headers = {"Host": settings.ALLOWED_HOSTS[0]}
    if settings.TRUSTED_PROXIES:
        headers |= {
            "X-Forwarded-For": ", ".join(["127.0.0.1"] * settings.TRUSTED_PROXIES),
            "X-Forwarded-Proto": "https",
        }
    return headers
