"""The connection of `manage.py migrate`: as the owner of the tables, and never long in the way of the site.

A change of a table waits until whoever uses it is done, and everybody else waits behind it. So it waits a few seconds
at most, lets all others through, and tries again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

LOCK_SECONDS = 3
TRIES = 20
PAUSE_SECONDS = 3
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, errcodes-appendix
CONNECTION = ("USER", "PASSWORD", "HOST", "PORT")


@contextmanager
def owner_connection(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Inside, the database `using` is reached as its owner, where one is named, without the time limits of pages."""
    connection = connections[using]
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    of_the_site = connection.settings_dict
    connection.close()
    options = {name: value for name, value in of_the_site["OPTIONS"].items() if name != "pool"}
    options["options"] = f"-c lock_timeout={LOCK_SECONDS}s"
    owner = {name: (settings.DATABASE_OWNER or of_the_site)[name] for name in CONNECTION}
    connection.settings_dict = {**of_the_site, **owner, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = of_the_site


def repeated(work: Callable[[], object], say: Callable[[str], None]) -> None:
    """Do `work`, and again where it waited too long for a lock. What it has finished it must not do twice."""
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            work()
            return
        except DatabaseError as error:
            if not tries_left or getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
        say("Somebody is using a table that is to be changed; trying again.")
        time.sleep(PAUSE_SECONDS)
