"""Whether something arrived since a page was drawn, told by a stamp that costs one query by an index."""

import hashlib

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest

from alliance.log_events import LOOKS
from alliance.models import AuditEvent
from clients.models import Client, Episode

# Not the last write of a client alone: one that drew a lower number can be committed after it.
WRITES_LOOKED_AT = 20
# Written out: open pages ask this every four seconds, and Django takes ten times as long to put it together as
# the database to answer it. The last writes of each client apart, by the index of the writes: asked for those
# of all clients at once, PostgreSQL walks back through every look since the last write. Their sum grows with
# every line that comes among them, whatever its number, for no line is ever taken out. Each record apart, and with
# those that were merged into it: a write that waited for the merge still names the record it began with. Found in
# two ways by two indexes: as one condition with OR, PostgreSQL may look through all clients.
_LAST_WRITES = f"""
WITH asked AS (SELECT id, client_id FROM {Episode._meta.db_table} WHERE id IN (%(which)s)),
whose AS (
    SELECT asked.id AS episode, client.id AS client, client.code
    FROM asked JOIN {Client._meta.db_table} client ON client.id = asked.client_id
    UNION ALL
    SELECT asked.id, client.id, client.code
    FROM asked JOIN {Client._meta.db_table} client ON client.merged_into_id = asked.client_id
)
SELECT whose.episode, whose.client, (
    SELECT SUM(last.id) FROM (
        SELECT event.id FROM {AuditEvent._meta.db_table} event
        WHERE event.client = whose.code AND NOT (event.action IN ({", ".join(["%%s"] * len(LOOKS))}))
        ORDER BY event.id DESC LIMIT {WRITES_LOOKED_AT}
    ) last
)
FROM whose
"""  # noqa: S608 - names of our own tables alone


def stamp(episodes: QuerySet[Episode]) -> str:
    """A short text that changes with every write about the clients of these episodes, and with the episodes.

    Every write is logged in its own transaction, so the log's last lines tell. Hashed: row numbers
    appear in no address.
    """
    return _hash_of(_last_writes(episodes))


def is_current(request: HttpRequest, episode: QuerySet[Episode]) -> bool:
    """Whether the page that asks shows this episode as it is; it sends its stamp as `seen`.

    False where the person may not see it (any more), so that the view says so.
    """
    seen = request.GET.get("seen")
    return seen is not None and bool(rows := _last_writes(episode)) and seen == _hash_of(rows)


def _hash_of(rows: list[tuple[int, int, int]]) -> str:
    return hashlib.sha256(f"arrivals {rows}".encode()).hexdigest()[:16]


def _last_writes(episodes: QuerySet[Episode]) -> list[tuple[int, int, int]]:
    """For each episode and each record of its client, the sum of the numbers of the last writes."""
    try:
        which, values = episodes.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LAST_WRITES % {"which": which}, [*values, *LOOKS])
        return sorted((episode, client, int(total or 0)) for episode, client, total in cursor.fetchall())
