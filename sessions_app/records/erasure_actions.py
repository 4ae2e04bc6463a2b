"""The writes about erasure: asked for by one person, confirmed by another, called off until then.

Locks: the request, then every episode of the client, then the client, so that nothing about the client is under way
when the rows go. Who waits for one of these episodes is refused with `Gone`.
"""

import json
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit, kept_values
from alliance.erasures import Erasure, Reason
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from clients.lock import lock_episodes
from clients.models import Client, Episode
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.records import erasure as rows
from sessions_app.records import retention
from sessions_app.records.retention_rule import RetentionRule

# Where the log of the service goes, the list goes: it outlives the database (docs/deployment.md).
outside = logging.getLogger("alliance.erasures")
SAID = ("reason", "asked_at", "asked_by", "confirmed_at", "confirmed_by")
STATE = ("note", "confirmed_at", "confirmed_by", "called_off_at", "called_off_by")
NOT_THERE = "This client is no longer here."
CHANGED_MEANWHILE = "Somebody changed this meanwhile. Look at it again, then save."


@transaction.atomic
def ask(*, client: Client, reason: str, note: str, by: User) -> Erasure:
    """Ask for the erasure of one client. Nothing goes before another person confirms it."""
    if not by.is_administrator:
        raise Refused("An administrator asks for an erasure.")
    if client.merged_into_id:
        raise Refused(f"{client} was merged with another record. Erase that one: this one goes with it.")
    if client.label.casefold() in note.casefold():
        raise Refused("The line names the client. Leave the label out: the second person sees it anyway.")
    _call_off_what_is_past([client.code], by)
    try:
        with transaction.atomic():
            erasure = Erasure.objects.create(client=client.code, reason=reason, note=note, asked_by=by.pk)
    except IntegrityError as error:
        if not Erasure.objects.open().filter(client=client.code).exists():
            raise  # nothing that somebody at a page can put right
        raise Refused(f"The erasure of {client} was asked for already.") from error
    audit.record(LogEvent.ERASURE_ASKED, erasure, by=by, client=client.code, reason=reason)
    return erasure


@transaction.atomic
def call_off(*, erasure: Erasure, by: User) -> Erasure:
    stored = Erasure.objects.select_for_update().get(pk=erasure.pk)
    _refuse_if_decided(stored)
    _call_off(stored, by)
    return stored


def may_confirm(erasure: Erasure, user: User) -> bool:
    """Another person than who asked: an administrator, or a therapist of the client."""
    treats = Episode.objects.own(user).filter(client__code=erasure.client)
    return user.is_active and user.pk != erasure.asked_by and (user.is_administrator or treats.exists())


@transaction.atomic
def confirm(*, erasure: Erasure, by: User) -> Erasure:
    """The second person's word: every row of the client goes, now and for good."""
    stored = Erasure.objects.select_for_update().get(pk=erasure.pk)
    _refuse_if_decided(stored)
    if not may_confirm(stored, by):
        raise Refused("Another person than the one who asked has to confirm this.")
    client = _locked(stored.client)
    if stored.reason == Reason.RETENTION and not retention.is_due(client):
        raise Refused(
            f"{client} is no longer due: an episode was opened, or the rule was changed. Call it off."
        )
    stored.confirmed_at, stored.confirmed_by, stored.note = timezone.now(), by.pk, ""
    return _erase(client, stored, by)


def _erase(client: Client, erasure: Erasure, by: User | None) -> Erasure:
    erasure.save(update_fields=STATE)  # confirmed: only now do the triggers let the rows go
    erasure.counts = rows.delete(client, erasure)
    erasure.save(update_fields=["counts", "also"])
    audit.record(LogEvent.CLIENT_ERASED, erasure, by=by, client=erasure.client, reason=erasure.reason)
    transaction.on_commit(lambda: _afterwards(erasure))
    return erasure


def _afterwards(erasure: Erasure) -> None:
    kept_values.forget_everything()
    rows.forget_in_files()
    outside.warning("%s", rows.as_line(erasure))


def _locked(code: UUID) -> Client:
    """The client with all episodes, held until the end of the transaction."""
    client = Client.objects.filter(code=code).first()
    if client is None:
        raise Refused(NOT_THERE)
    found = rows.episodes_to_lock(client)
    lock_episodes(found)
    held = list(rows.whole(client).select_for_update().order_by("pk"))
    if not held:
        raise Refused(NOT_THERE)
    if rows.episodes_to_lock(client) != found:
        raise Refused("Something of this client was changed just now. Look at it again.")
    return client


def _refuse_if_decided(erasure: Erasure) -> None:
    if erasure.confirmed_at:
        raise Refused("This client was erased already.")
    if erasure.called_off_at:
        raise Refused("This erasure was called off.")
    if not erasure.is_open:
        raise Refused("Nobody confirmed this within 14 days, so it is void. It can be asked for again.")


def _call_off_what_is_past(clients: Collection[UUID], by: User) -> None:
    """Requests that nobody confirmed in time: they are void, and make way for new ones."""
    waiting = Erasure.objects.filter(
        confirmed_at__isnull=True, called_off_at__isnull=True, client__in=clients
    )
    for erasure in waiting.select_for_update().order_by("pk"):
        if not erasure.is_open:
            _call_off(erasure, by)


def _call_off(erasure: Erasure, by: User) -> None:
    erasure.called_off_at, erasure.called_off_by, erasure.note = timezone.now(), by.pk, ""
    erasure.save(update_fields=STATE)
    audit.record(LogEvent.ERASURE_CALLED_OFF, erasure, by=by, client=erasure.client)


# --- Retention -----------------------------------------------------------------------------------


@transaction.atomic
def change_rule(
    *, years: int | None, years_young: int | None, by: User, opened_with: Opened | None = None
) -> RetentionRule:
    """The next version of the retention rule. It erases nobody: it says who is due."""
    now, typed = RetentionRule.objects.in_force(), {"years": years, "years_young": years_young}
    if not changed(opened_with, stored=now.says, typed=typed):
        return now
    try:
        with transaction.atomic():
            made = RetentionRule.objects.create(
                version=now.version + 1, years=years, years_young=years_young, made_by=by
            )
    except IntegrityError as error:  # somebody else made the next one in this moment
        changed(opened_with, stored=RetentionRule.objects.in_force().says, typed=typed)
        raise Refused(CHANGED_MEANWHILE) from error
    audit.record(
        LogEvent.RETENTION_CHANGED, made, by=by, version=made.version, years=years, young=years_young
    )
    return made


@transaction.atomic
def ask_for_all_due(*, seen: int, by: User) -> UUID:
    """Ask at once for the erasure of everybody who is due; the code of the batch. seen: how many the page showed."""
    due = list(retention.not_asked_for().values_list("code", flat=True))
    if not due:
        raise Refused("Nobody is due.")
    if len(due) != seen:
        raise Refused(f"{len(due)} clients are due now, and the page showed {seen}. Look at the list again.")
    _call_off_what_is_past(due, by)
    batch = uuid4()
    asked = Erasure.objects.bulk_create(
        Erasure(client=code, batch=batch, reason=Reason.RETENTION, asked_by=by.pk) for code in due
    )
    audit.write(audit.line(LogEvent.ERASURE_ASKED, one, by=by, client=one.client) for one in asked)
    return batch


def confirm_batch(*, batch: UUID, by: User, seconds: float) -> int:
    """Confirm those of a batch that wait, each in a transaction of its own, for about so long; how many went.

    Who is no longer due is called off.
    """
    erased, until = 0, monotonic() + seconds
    for erasure in Erasure.objects.open().filter(batch=batch).order_by("pk"):
        if not may_confirm(erasure, by):
            raise Refused("Another person than the one who asked has to confirm this.")
        erased += _confirmed_or_called_off(erasure, by)
        if monotonic() > until:
            break
    return erased


def _confirmed_or_called_off(erasure: Erasure, by: User) -> bool:
    try:
        confirm(erasure=erasure, by=by)
    except Refused:
        with suppress(Refused):  # somebody else decided about it meanwhile
            call_off(erasure=erasure, by=by)
        return False
    return True


def call_off_batch(*, batch: UUID, by: User) -> int:
    """How many were called off; somebody else may confirm some of them meanwhile."""
    called_off = 0
    for erasure in Erasure.objects.open().filter(batch=batch).order_by("pk"):
        with suppress(Refused):
            call_off(erasure=erasure, by=by)
            called_off += 1
    return called_off


# --- After a backup was restored -----------------------------------------------------------------


@transaction.atomic
def replay(*, line: str) -> bool:
    """Erase again whom a line of the list says; whether anybody was there. Raises ValueError where it is no line."""
    said = _read(line)
    stored = Erasure.objects.filter(code=said["code"]).first() or Erasure(code=said["code"])
    if stored.confirmed_at is None:
        # A request of before the backup that waits still makes way.
        Erasure.objects.filter(client=said["client"], confirmed_at=None, called_off_at=None).exclude(
            code=said["code"]
        ).update(called_off_at=said["confirmed_at"], called_off_by=said["confirmed_by"])
        for name in ("client", *SAID):
            setattr(stored, name, said[name])
        stored.note, stored.called_off_at, stored.called_off_by = "", None, None
        stored.save(update_fields=STATE if stored.pk else None)
    ErasedGrant.objects.bulk_create(
        (ErasedGrant(code=UUID(code), erasure=stored) for code in said["grants"]), ignore_conflicts=True
    )
    found = [_erased_again(code, stored) for code in [stored.client, *said["also"]]]
    return any(found)


def _erased_again(code: UUID, erasure: Erasure) -> bool:
    """Whether the client of this code was there. A record that was merged since the backup has a code of its own."""
    if not Client.objects.filter(code=code).exists():
        return False
    if code != erasure.client:
        erasure, _ = Erasure.objects.get_or_create(
            code=uuid5(erasure.code, code.hex),
            defaults={name: getattr(erasure, name) for name in SAID} | {"client": code},
        )
    _erase(_locked(code), erasure, by=None)
    return True


def _read(line: str) -> Mapping[str, Any]:
    """What `erasure.as_line` wrote, also behind what a log puts before it."""
    try:
        said = json.loads(line[line.index("{") :])
        asked_at, confirmed_at = (datetime.fromisoformat(said[name][0]) for name in ("asked", "confirmed"))
        return {
            "client": UUID(said["erased"]),
            "code": UUID(said["code"]),
            "reason": Reason(said["reason"]),
            "asked_at": asked_at,
            "asked_by": UUID(said["asked"][1]),
            "confirmed_at": confirmed_at,
            "confirmed_by": UUID(said["confirmed"][1]),
            "also": [UUID(code) for code in said.get("also", [])],
            "grants": [str(code) for code in said["grants"]],
        }
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"This is no line of the list: {error}") from error
