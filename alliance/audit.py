"""The one way to write the access log."""

import hashlib
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import models

from alliance.log_by_client import FEW
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User

# As in `refused_pages`: of what somebody asks again and again the log has a line a minute.
QUIET_FOR = 60
# Set for the length of a request by `middleware.headers`, so that actions need no request to tell
# where from: they are called from commands too.
address_of_request: ContextVar[str | None] = ContextVar("address_of_request", default=None)


def record(
    event: LogEvent, entity: models.Model, *, by: User | None, client: UUID | None = None, **detail: Any
) -> None:
    """Write one line about `entity`, inside the caller's transaction.

    `by` is None for a client with a grant and for the system. `detail` holds codes and kinds only:
    never a name, a label, an answer or a total.
    """
    line(event, entity, by=by, client=client, **detail).save()


def line(
    event: LogEvent, entity: models.Model, *, by: User | None, client: UUID | None = None, **detail: Any
) -> AuditEvent:
    """What `record` writes, not written yet: for a write that has more than one line to write (`write`)."""
    return _line(
        event,
        by,
        entity=entity._meta.model_name or "",
        entity_code=getattr(entity, "code", entity.pk if isinstance(entity, User) else None),
        client=client,
        detail=detail,
    )


def write(lines: Iterable[AuditEvent]) -> None:
    """Write these lines in their order, in one statement, inside the caller's transaction."""
    if rows := list(lines):
        AuditEvent.objects.bulk_create(rows)


def listed(clients: Iterable[UUID], *, by: User) -> None:
    """Write that somebody was shown a list with marks or flags: one line, which names every client on it."""
    write(listing(clients, by=by))


def listing(clients: Iterable[UUID], *, by: User) -> list[AuditEvent]:
    """What `listed` writes, not written yet; no line where nobody is on the list.

    In the order of the codes, which are random: the order of the page would tell the reader of the log,
    who may see no flag, which clients have one.
    """
    named = sorted({code.hex for code in clients})
    return [_line(LogEvent.LISTED, by, entity="client", clients=named)] if named else []


def exported(clients: Iterable[UUID], *, by: User, **detail: Any) -> None:
    """Write that somebody takes rows of these clients away as a file: one line, which names every one of them."""
    named = sorted({code.hex for code in clients})
    _line(LogEvent.RECORDS_EXPORTED, by, entity="client", clients=named, detail=detail).save()


def log_read(
    event: LogEvent, *, asked: dict[str, str], about: Iterable[UUID], by: User, page: str = ""
) -> None:
    """Write that somebody opened or exported this log. `asked`: what they searched for, in codes.

    The clients they searched for are named, so that each one's line is found; not the many that a letter finds.
    The same page of the same question, opened again within the minute, is one line: nobody buries the log under looks
    at it by reloading.
    """
    named = sorted({code.hex for code in about})
    if event == LogEvent.LOG_OPENED:
        question = hashlib.sha256(repr((sorted(asked.items()), named, page)).encode()).hexdigest()
        if not cache.add(f"log-opened:{by.pk}:{question}", True, QUIET_FOR):
            return
    _line(
        event, by, entity="log", clients=named if 0 < len(named) <= FEW else None, detail={"asked": asked}
    ).save()


def refused(*, page: str, why: str, code: UUID | None, client: UUID | None, by: User) -> None:
    """Write that somebody was refused a page; see `alliance.refused_pages`."""
    detail = {"page": page, "why": why}
    _line(LogEvent.REFUSED, by, entity="page", entity_code=code, client=client, detail=detail).save()


def _line(event: LogEvent, by: User | None, **of: Any) -> AuditEvent:
    if not isinstance(event, LogEvent):
        raise TypeError("A line of the log is of one of the events in alliance/log_events.py.")
    actor = by.pk if by is not None else None
    return AuditEvent(action=event.value, actor=actor, address=address_of_request.get(), **of)
