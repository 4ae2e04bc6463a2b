"""The site's settings as a clinic runs them, but on plain HTTP, on this machine, on a throw-away database."""

import os

os.environ.update(
    HTTPS="off", SECOND_FACTOR="on", DEBUG="off", DEMO="off", ALLOWED_HOSTS="127.0.0.1,testserver"
)

from alliance.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
# Without hashed names: nothing has to be collected first, and a page only looks its names up.
WHITENOISE_USE_FINDERS = True
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - else each process warns that there is none
