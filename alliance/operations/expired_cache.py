"""What the clock does with the shared cache: rows whose time is over go.

Django's cache in the database deletes them only once the table is full, of 50,000 rows, and counts all rows at each
write until then. Tries from many addresses would leave that many.
"""

from datetime import datetime
from typing import Any

from django.core.cache import caches
from django.db import connections, router
from django.utils import timezone


def remove(_since: datetime | None) -> str:
    """How many went, in words."""
    kept: Any = caches["default"]
    connection = connections[router.db_for_write(kept.cache_model_class)]
    table, expires = (connection.ops.quote_name(name) for name in (kept._table, "expires"))
    now = connection.ops.adapt_datetimefield_value(timezone.now().replace(microsecond=0))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {expires} < %s", [now])  # noqa: S608 - the name of a setting
        return f"{cursor.rowcount} expired rows of the cache removed"
