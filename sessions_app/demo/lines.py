"""A line of the access log as an action would have left it, with the time it would have had."""

from datetime import datetime
from typing import Any

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User


def line(event: LogEvent, row: Any, at: datetime, *, by: User | None = None, **detail: Any) -> AuditEvent:
    return AuditEvent(
        at=at,
        action=event.value,
        entity=str(row._meta.model_name),
        entity_code=row.pk if isinstance(row, User) else row.code,
        client=getattr(row, "client_code", None),
        actor=by.pk if by else None,
        detail=detail,
    )
