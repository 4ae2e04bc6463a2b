"""What questions and notes of supervision have in common: held while they change, and what stood before is kept.

A row has a `version`, `withdrawn_at` and `withdrawn_by`, and `changes`, whose model names in KEEPS what it keeps.
"""

from typing import Any, TypeVar

from django.db import models
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from clients.lock import lock_open_episode

TAKEN_BACK, PUT_BACK = "taken back", "put back"  # of both kinds of changes
Words = TypeVar("Words", bound=models.Model)


def locked(row: Words) -> Words:
    """As it stands once nobody else can change it."""
    given: Any = row
    lock_open_episode(given.episode_id)
    rows: Any = type(given).objects.select_related("episode__client")
    stands: Words = rows.get(pk=given.pk)
    return stands


def keep(stands: Any, kind: str, by: User) -> None:
    """Before a change: what it changes. The next version begins."""
    before = {name: getattr(stands, name) for name in stands.changes.model.KEEPS}
    stands.changes.create(version=stands.version, kind=kind, changed_by=by, **before)
    stands.version += 1


def take_back(row: Words, *, by: User, event: LogEvent) -> Words:
    """Its words stay readable. Pressed twice, it is taken back once."""
    return _withdrawn(row, True, by, event)


def put_back(row: Words, *, by: User, event: LogEvent) -> Words:
    """The way back of `take_back`. Pressed twice, it is put back once."""
    return _withdrawn(row, False, by, event)


def _withdrawn(row: Words, is_withdrawn: bool, by: User, event: LogEvent) -> Words:
    stands: Any = locked(row)
    if (stands.withdrawn_at is not None) != is_withdrawn:
        keep(stands, TAKEN_BACK if is_withdrawn else PUT_BACK, by)
        stands.withdrawn_at, stands.withdrawn_by = (timezone.now(), by) if is_withdrawn else (None, None)
        stands.save(update_fields=["withdrawn_at", "withdrawn_by", "version"])
        audit.record(event, stands, by=by, client=stands.client_code)
    found: Words = stands
    return found
