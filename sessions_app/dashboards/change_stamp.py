"""Whether something arrived since a page was drawn, told by a stamp that costs one indexed query."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from alliance.log_events import LOOKS
from alliance.models import AuditEvent
from clients.models import Episode

# Not the last write alone: one that drew a lower number can be committed after it.
WRITES_LOOKED_AT = 20


def stamp(clients: Iterable[UUID] | QuerySet[Episode, UUID]) -> str:
    """A short text that changes with every write about these clients.

    Every write is logged in its own transaction, so the log's last lines tell. Hashed: row numbers
    appear in no address.
    """
    writes = AuditEvent.objects.filter(client__in=clients).exclude(action__in=LOOKS).order_by("-pk")
    last = ",".join(str(pk) for pk in writes.values_list("pk", flat=True)[:WRITES_LOOKED_AT])
    return hashlib.sha256(f"arrivals {last}".encode()).hexdigest()[:16]
