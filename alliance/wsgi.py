"""The site as a web server starts it."""

import os
from typing import Any

from django.core.wsgi import get_wsgi_application

from alliance.operations.time_limits import limit_pages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")
site = get_wsgi_application()
limit_pages()

PREFIXES = ("HTTP_", "SERVER_", "REMOTE_", "REQUEST_", "CONTENT_", "wsgi.")
NAMES = frozenset({"PATH_INFO", "QUERY_STRING", "SCRIPT_NAME"})


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The site, told of the request only.

    granian puts the whole process environment under every request, SECRET_KEY included, and allauth
    keeps what it finds there in the session table while somebody signs in again.
    """
    return site({name: value for name, value in environ.items() if is_of_the_request(name)}, start_response)


def is_of_the_request(name: str) -> bool:
    """Whether a name of WSGI (PEP 3333) or of a header; anything else came from the process."""
    return name in NAMES or name.startswith(PREFIXES)
