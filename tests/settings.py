"""The site's settings as the tests run them: strict ones, with a key that is nobody's."""

import os
from datetime import datetime
from zoneinfo import ZoneInfo


def _where_it_is_day() -> str:
    """Many tests speak of today: they must not run around midnight."""
    zones = ("Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo")
    return next(zone for zone in zones if 8 <= datetime.now(ZoneInfo(zone)).hour < 18)


os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "0" * 50)
os.environ.setdefault("HTTPS", "off")
os.environ.setdefault("SECOND_FACTOR", "off")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
os.environ.setdefault("TIME_ZONE", _where_it_is_day())

from alliance.settings import *  # noqa: E402, F403

if database["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file of its own for each run: two runs side by side must not empty each other's tables.
    database["TEST"] = {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")}  # noqa: F405
    # No test cuts the power, and each write would wait for the disk.
    database["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
