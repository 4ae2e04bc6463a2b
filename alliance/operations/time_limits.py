"""How long a page may wait for the database, and what a person reads where that was too long.

One lock on a table must not hold the whole site: whoever waits for it gets a sentence after some seconds, and the
connection goes to the next. Migrations and the clock know no limit of statements (alliance/operations/owner.py).
"""

from django.conf import settings
from django.db import OperationalError, connections
from django.db.utils import InterfaceError

LOCK_SECONDS = 5
# The longest that a page of ours needs at 1,000,000 ratings is a tenth of this: docs/performance.md.
STATEMENT_SECONDS = 30
RETRY_AFTER = 10  # seconds; devices that deliver marks go by a rhythm of their own
# PostgreSQL, errcodes-appendix: lock_not_available, query_canceled.
_BUSY = frozenset({"55P03", "57014"})


def limit_pages() -> None:
    """Called once, by the web server, before the first connection. A pooler has no place for it: the role has."""
    for one in connections.settings.values():
        if one["ENGINE"] == "django.db.backends.postgresql" and not settings.DATABASE_POOLER:
            limits = f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s"
            asked = one["OPTIONS"].get("options", "")
            one["OPTIONS"]["options"] = (
                f"{limits} {asked}".strip()
            )  # what the address asks for comes last, and wins


def is_busy(error: BaseException | None) -> bool:
    """Whether the database works and somebody else is in the way."""
    cause = getattr(error, "__cause__", None)
    if not isinstance(error, OperationalError):
        return False
    return (
        getattr(cause, "sqlstate", "") in _BUSY
        or _waited_for_a_connection(cause)
        or "is locked" in str(error)
    )


def is_away(error: BaseException | None) -> bool:
    """Whether the database does not answer, refuses a connection, or has no room left."""
    return isinstance(error, OperationalError | InterfaceError)


def never_began(error: BaseException | None) -> bool:
    """Whether the request had no connection at all. A request keeps the one it has, so it has written nothing."""
    return _waited_for_a_connection(getattr(error, "__cause__", None))


def _waited_for_a_connection(cause: BaseException | None) -> bool:
    return type(cause).__name__ == "PoolTimeout"  # psycopg_pool is not there on SQLite alone
