"""What the environment says, read strictly.

A clinic's helper starts this once a year. A missing or wrong setting therefore stops the start
with one sentence that says what to do, never with a traceback and never with a guessed default
that would be unsafe.
"""

import re
import secrets
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]", "testserver")
SECRET_KEY_LENGTH = 50
TOKEN_LENGTH = 32
# Pages on how an open course went look back this far in the table of the access log.
MONTHS_AT_LEAST = 12


class SettingError(SystemExit):
    """A setting is missing or wrong; the sentence says what to do about it."""

    def __init__(self, sentence: str) -> None:
        print(f"Cannot start: {sentence}", file=sys.stderr)
        super().__init__(2)


class Environment:
    """Named readers over the process environment; each raises `SettingError` with a sentence."""

    def __init__(self, env_file: Path) -> None:
        self._env = environ.Env()
        if env_file.exists():
            self._env.read_env(str(env_file))

    def refuse_a_path(self) -> None:
        """Under a path, whatever else is served at that name could read cookies and what waits on devices."""
        if self.text("SCRIPT_NAME"):
            raise SettingError(
                "SCRIPT_NAME asks for a path, and this site stands at the root of a name of its own; "
                "take it out and give the site a name such as alliance.clinic.example."
            )

    def text(self, name: str, default: str = "") -> str:
        """Empty counts as not set: a line left blank in .env, or a variable that compose passes on."""
        return str(self._env.str(name, default="")).strip() or default

    def contact(self, name: str) -> str:
        """An address as RFC 9116 wants it in security.txt: mailto:, https:// or tel:; a bare mail address will do."""
        value = self.text(name)
        if not value or re.fullmatch(r"(mailto:[^@\s]+@|https://|tel:\+?)[^\s]+", value):
            return value
        if re.fullmatch(r"[^@\s:]+@[^@\s:]+", value):
            return f"mailto:{value}"
        raise SettingError(f"{name} is {value!r}; write a mail address, or https:// and a page.")

    def switch(self, name: str, default: bool) -> bool:
        """A yes/no setting: on, off, true, false, yes, no, 1, 0."""
        value = self.text(name, "on" if default else "off").lower()
        if value in {"on", "true", "yes", "1"}:
            return True
        if value in {"off", "false", "no", "0"}:
            return False
        raise SettingError(f"{name} is {value!r}; write on or off.")

    def whole(self, name: str, default: int, least: int = 0) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and int(value) >= least):
            raise SettingError(f"{name} is {value!r}; write a whole number such as {default}.")
        return int(value)

    def months(self, name: str) -> int:
        """How many months of the access log stay in the database; 0 where none are moved out."""
        value = self.whole(name, 0)
        if value and value < MONTHS_AT_LEAST:
            raise SettingError(f"{name} is {value}; write {MONTHS_AT_LEAST} or more, or leave it blank.")
        return value

    def one_of(self, name: str, choices: Sequence[str], default: str) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            raise SettingError(f"{name} is {value!r}; write {' or '.join(choices)}.")
        return value

    def token(self, name: str) -> str:
        """A secret that a machine brings along; empty where none is set."""
        value = self.text(name)
        if value and not (
            len(value) >= TOKEN_LENGTH and value.isascii() and value.isprintable() and " " not in value
        ):
            raise SettingError(
                f"{name} is shorter than {TOKEN_LENGTH} characters, or cannot stand in a header; make one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'."
            )
        return value

    def names(self, name: str) -> list[str]:
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def time_zone(self, name: str) -> str:
        value = self.text(name, "UTC")
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingError(f"{name} is {value!r}; write a zone such as Europe/Berlin.") from error
        return value

    def database(self, name: str, default: str) -> dict[str, Any]:
        url = self.text(name, default)
        try:
            if not url.startswith(("postgres://", "postgresql://", "sqlite:///")):
                raise ValueError("another kind of database")
            found = environ.Env.db_url_config(url)
        except (ImproperlyConfigured, ValueError) as error:
            raise SettingError(_DATABASE_SENTENCE.format(name=name)) from error
        if not found["NAME"]:
            raise SettingError(_DATABASE_SENTENCE.format(name=name))
        return dict(found)

    def owner_of(self, name: str, database: dict[str, Any]) -> dict[str, Any] | None:
        """How the owner of the tables of `database` connects; None where the site itself owns them."""
        if not self.text(name):
            return None
        found = self.database(name, "")
        if found["ENGINE"] != database["ENGINE"] or found["NAME"] != database["NAME"]:
            raise SettingError(
                f"{name} and DATABASE_URL name different databases; write the same one in both."
            )
        if found["USER"] == database["USER"]:
            raise SettingError(
                f"{name} and DATABASE_URL name the same user; give the site a role of its own, which owns no table "
                "(docs/deployment.md, 'Two roles of the database'), or leave it out."
            )
        return found

    def mail(self, name: str) -> dict[str, object]:
        try:
            return dict(environ.Env.email_url_config(self.text(name, "dummymail://")))
        except (ImproperlyConfigured, KeyError, ValueError) as error:
            raise SettingError(
                f"{name} is not understood; write smtp+tls://user:password@host:587."
            ) from error

    def addresses(self, name: str, *, needs_mail: str) -> list[str]:
        found = self.names(name)
        try:
            for address in found:
                validate_email(address)
        except ValidationError as error:
            raise SettingError(
                f"{name} is not understood; write one or more e-mail addresses with commas between them."
            ) from error
        if found and not self.text(needs_mail):
            raise SettingError(
                f"{name} is set, but the site sends no mail; set {needs_mail}, or take {name} out."
            )
        return found

    def secret(self, name: str, keep_in: Path | None) -> str:
        """A long random key; `keep_in` names the file where a try-out keeps one it made itself."""
        value = self.text(name)
        if not value and keep_in is not None:
            return _kept_secret(keep_in)
        if len(value) < SECRET_KEY_LENGTH:
            raise SettingError(
                f"{name} is missing or shorter than {SECRET_KEY_LENGTH} characters; make one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(64))' and put it in the environment."
            )
        return value

    def hosts(self, name: str, *, local_only: bool) -> list[str]:
        hosts = self.names(name) or (list(LOCAL_HOSTS) if local_only else [])
        if not hosts:
            raise SettingError(
                f"{name} is missing; write the address of the site, such as alliance.clinic.example."
            )
        if "*" in hosts:
            raise SettingError(
                f"{name} is '*', which lets any site pose as yours; write the address of the site."
            )
        if any(
            "/" in host or host.startswith(".") or ":" in host.strip("[]")
            for host in hosts
            if host not in LOCAL_HOSTS
        ):
            raise SettingError(
                f"{name} holds more than names: no slash, no port, no dot in front; write alliance.clinic.example."
            )
        if local_only and not set(hosts) <= set(LOCAL_HOSTS):
            raise SettingError(
                f"{name} names a public address while HTTPS, or the second factor, is off; "
                "switch both on, or serve on 127.0.0.1 only."
            )
        return hosts


# A key of this length by chance has more, also where it is written in hexadecimal.
DIFFERENT_CHARACTERS = 10
# Words of documentation, of `django-admin startproject`, and of people who wanted to do it later.
OF_EXAMPLES = (
    "insecure",
    "example",
    "change-me",
    "changeme",
    "change_me",
    "secret-key",
    "secret_key",
    "password",
)


def is_weak(key: str) -> bool:
    """Whether a key can be guessed: it repeats itself, runs along the keyboard, or stands in somebody's example."""
    lower = key.lower()
    if len(set(key)) < DIFFERENT_CHARACTERS or any(word in lower for word in OF_EXAMPLES):
        return True
    steps = [abs(ord(one) - ord(other)) for one, other in pairwise(key)]
    return sum(step <= 1 for step in steps) > len(steps) // 2 or _repeats_itself(key)


def _repeats_itself(key: str) -> bool:
    """Whether it is a piece that comes again: what follows has no more in it than the piece."""
    return any(key == (key[:size] * len(key))[: len(key)] for size in range(1, len(key) // 2 + 1))


def refuse_in_public(hosts: list[str], *, debug: bool, keys: list[str]) -> None:
    """DEBUG shows settings and data to whoever makes an error; a weak key signs for whoever guesses it."""
    if set(hosts) <= set(LOCAL_HOSTS):
        return
    if debug:
        raise SettingError("DEBUG is on while ALLOWED_HOSTS names a public address; take DEBUG out.")
    if any(is_weak(key) for key in keys):
        raise SettingError(
            "SECRET_KEY, or one of SECRET_KEY_FALLBACKS, can be guessed: it repeats itself or stands in an example; "
            "make one with python3 -c 'import secrets; print(secrets.token_urlsafe(64))'."
        )


_DATABASE_SENTENCE = (
    "{name} is not understood; write postgres://user:password@host:5432/name, or sqlite:///path/to/file."
)


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text().strip()
