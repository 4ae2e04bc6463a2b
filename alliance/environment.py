"""What the environment says, read strictly.

A clinic's helper starts this once a year. A missing or wrong setting therefore stops the start
with one sentence that says what to do, never with a traceback and never with a guessed default
that would be unsafe.
"""

import secrets
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]", "testserver")
SECRET_KEY_LENGTH = 50


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

    def mail(self, name: str) -> dict[str, object]:
        try:
            return dict(environ.Env.email_url_config(self.text(name, "dummymail://")))
        except (ImproperlyConfigured, KeyError, ValueError) as error:
            raise SettingError(
                f"{name} is not understood; write smtp+tls://user:password@host:587."
            ) from error

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


_DATABASE_SENTENCE = (
    "{name} is not understood; write postgres://user:password@host:5432/name, or sqlite:///path/to/file."
)


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text().strip()
