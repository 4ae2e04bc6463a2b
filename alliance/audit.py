"""The one way to write the access log."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import models

from alliance.models import AuditEvent, User

# Set for the length of a request by `middleware.headers`, so that actions need no request to tell
# where from: they are called from commands too.
address_of_request: ContextVar[str | None] = ContextVar("address_of_request", default=None)


def record(
    action: str, entity: models.Model, *, by: User | None, client: UUID | None = None, **detail: Any
) -> None:
    """Write one event about `entity`, inside the caller's transaction.

    `by` is None for a client with a grant and for the system. `detail` holds codes and kinds only:
    never a name, a label, an answer or a total.
    """
    AuditEvent.objects.create(
        action=action,
        entity=entity._meta.model_name or "",
        entity_code=getattr(entity, "code", entity.pk if isinstance(entity, User) else None),
        actor=by.pk if by is not None else None,
        client=client,
        address=address_of_request.get(),
        detail=detail,
    )


def listed(clients: Iterable[UUID], *, by: User) -> None:
    """Somebody was shown a list with marks or flags: one event for each client on it, in one statement.

    In the order of the codes, which are random: the order of the page would tell the reader of the log,
    who may see no flag, which clients have one.
    """
    address = address_of_request.get()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            action="listed", entity="client", entity_code=code, client=code, actor=by.pk, address=address
        )
        for code in sorted(clients)
    )


def record_each(action: str, entity: str, codes: Iterable[tuple[UUID, UUID]], *, by: User | None) -> None:
    """As `record`, one event for each (code of the entity, code of its client), in one statement."""
    address, actor = address_of_request.get(), by.pk if by is not None else None
    AuditEvent.objects.bulk_create(
        AuditEvent(
            action=action, entity=entity, entity_code=code, client=client, actor=actor, address=address
        )
        for code, client in codes
    )
