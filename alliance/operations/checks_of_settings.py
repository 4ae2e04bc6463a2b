"""Whether the settings are those of a clinic, and which versions run."""

import os
import platform
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import version

from django.conf import settings
from django.core import checks
from django.db import connection

from alliance import mail
from alliance.operations.findings import PAGE, START, Finding, check, failed, ok, warning
from alliance.operations.version import site_version

# What the site is tested with; PostgreSQL in its own way of counting.
OLDEST_POSTGRESQL = 150000
OLDEST_PYTHON = (3, 11)


@check("settings", at=PAGE | START, asks_database=False)
def settings_of_a_clinic() -> Iterator[Finding]:
    found = [*_of_a_try_out(), *_readable_by_others()]
    yield from found
    if not found:
        yield ok(
            "settings", "The settings are those of a clinic: HTTPS, a second factor for everybody, no demo."
        )


def _of_a_try_out() -> Iterator[Finding]:
    public = "This is right for a try-out on this machine, and never in a clinic."
    if settings.DEMO:
        yield warning("settings.demo", f"DEMO is on. {public}", "Take DEMO out of the settings.")
    if settings.DEBUG:
        yield warning("settings.debug", f"DEBUG is on: errors show everything. {public}", "Take DEBUG out.")
    if not settings.HTTPS:
        yield warning("settings.https", f"HTTPS is off. {public}", "Take HTTPS=off out of the settings.")
    if not settings.SECOND_FACTOR_REQUIRED:
        yield warning(
            "settings.second_factor",
            f"Staff sign in with a password alone. {public}",
            "Take SECOND_FACTOR=off out of the settings.",
        )


def _readable_by_others() -> Iterator[Finding]:
    file = settings.BASE_DIR / ".env"
    if file.exists() and _is_open(file.stat()):
        yield warning(
            "settings.file",
            "Other users of this machine may read .env, and with it the keys of this site.",
            "Run chmod 600 .env as its owner, or, where it belongs to root, chmod 640 .env with the site's own group.",
        )


def _is_open(file: os.stat_result) -> bool:
    """Where root owns the file, so that the site cannot write to it, the site reads it through its own group."""
    is_ours = file.st_uid == 0 and file.st_gid == os.getegid()
    others = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP | (0 if is_ours else stat.S_IRGRP)
    return bool(file.st_mode & others)


@check("deploy", at=PAGE, asks_database=False)
def deployment_checks_of_django() -> Iterator[Finding]:
    """What Django itself says of settings; of a try-out it would say a dozen things that are meant so."""
    if settings.TRY_OUT:
        return
    for message in checks.run_checks(include_deployment_checks=True, databases=[]):
        if message.is_serious(checks.WARNING) and not message.is_silenced():
            to_do = message.hint or "Look the number up in the manual of Django."
            yield warning("deploy", f"{message.id}: {message.msg}", to_do)


@check("mail_setting", at=PAGE, asks_database=False)
def mail_setting() -> Iterator[Finding]:
    if mail.is_set_up():
        yield ok("mail.setting", "Mails to staff are sent: invitations, new passwords, notices of sign-ins.")
    else:
        yield ok(
            "mail.setting",
            "No mail is sent: links are shown to the administrator, and nobody is told of a strange sign-in. "
            "EMAIL_URL and MAIL_FROM change that.",
        )


@check("versions", at=PAGE)
def versions() -> Iterator[Finding]:
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        number = connection.pg_version  # type: ignore[attr-defined]
        database, is_old = f"PostgreSQL {number // 10000}.{number % 10000}", number < OLDEST_POSTGRESQL
    else:
        import sqlite3

        database, is_old = f"SQLite {sqlite3.sqlite_version}", False
    runs_on = f"Python {platform.python_version()}, Django {version('django')}, {database}"
    yield ok("versions", f"Session alliance {site_version()}, {runs_on}.")
    if is_old:
        yield failed("versions.database", f"{database} is too old for this site.", "Raise it to 15 or later.")
    if sys.version_info < OLDEST_PYTHON:
        yield failed("versions.python", "This Python is too old for this site.", "Use Python 3.11 or later.")
