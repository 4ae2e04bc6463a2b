"""Which release this is."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def site_version() -> str:
    """As pyproject.toml has it; the image brings that file along."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
