"""The site's settings on plain HTTP, on this machine, on a throw-away database."""

import os

os.environ.update(
    HTTPS="off", SECOND_FACTOR="off", DEBUG="off", DEMO="off", ALLOWED_HOSTS="127.0.0.1,testserver"
)

from alliance.settings import *  # noqa: F403

# Nothing has to be collected first; `torture.site` gives the files their addresses.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
