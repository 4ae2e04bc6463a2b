"""The site's own role in the database of the tests, where that is PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection, transaction

from alliance.operations.site_role import grant_to

ROLE = "tests_site"


def make() -> None:
    # Several runs on one server may make it at once.
    with suppress(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
    grant_to(ROLE)


@contextmanager
def assumed() -> Iterator[None]:
    """Every connection that is opened from here on acts as the site's role."""
    options = connection.settings_dict["OPTIONS"]
    # Django's own `assume_role` waits for ever beside a pool.
    _reopened({**options, "options": f"-c role={ROLE}"})
    try:
        yield
    finally:
        _reopened(options)


@contextmanager
def left() -> Iterator[None]:
    """Act as the owner again; inside a transaction of the test, on its connection alone."""
    if not _is_assumed():
        yield
    elif connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE NONE")
        yield  # the end of the transaction takes the role back
    else:
        options = connection.settings_dict["OPTIONS"]
        _reopened({name: value for name, value in options.items() if name != "options"})
        try:
            yield
        finally:
            grant_to(ROLE)  # tables may have been made anew
            _reopened(options)


@contextmanager
def left_here() -> Iterator[None]:
    """The same for a moment, on this connection outside of a transaction."""
    if not _is_assumed():
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")


def _is_assumed() -> bool:
    return connection.vendor == "postgresql" and "options" in connection.settings_dict["OPTIONS"]


def _reopened(options: dict[str, object]) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["OPTIONS"] = options
