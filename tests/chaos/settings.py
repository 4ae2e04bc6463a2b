"""The site's settings on plain HTTP, on this machine, on a throw-away database; files from their sources."""

from tests.torture.settings import *  # noqa: F403
