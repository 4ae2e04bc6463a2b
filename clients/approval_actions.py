"""The writes about approvals: asked for, confirmed, refused, withdrawn, opened in an emergency, taken by time.

Locks: the request first, then what the act itself locks (people, then episodes, then clients).
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import approvals, audit
from alliance.approvals import ApprovalNotice, ApprovalRequest, Outcome
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Gone, Refused
from clients import approval_notices, sight
from clients.approval_kinds import ApprovalKind, kind_of

Made = TypeVar("Made")
STATE = ("note", "outcome", "decided_at", "decided_by", "why")
EMERGENCY = ("emergency_at", "emergency_by", "emergency_reason", "emergency_made")
DECIDED = "This was decided already."
NOT_YOU = "A second person confirms this: not who asked for it, and not for whom it is."


class _TriedOut(Exception):
    """Ends the try whose only question was whether the act would be refused."""


# --- Asked for ------------------------------------------------------------------------------------


@transaction.atomic
def do_or_ask(
    *,
    kind: ApprovalKind,
    what: dict[str, Any],
    person: User | None,
    by: User | None,
    opens: bool,
    act: Callable[[], Made],
    note: str = "",
) -> Made | ApprovalRequest:
    """What `act` makes, at once where it opens no rating to anybody; else the request that waits.

    What would be refused is refused now, not after two days: the act is tried and taken back.
    """
    if not opens:
        return act()
    try:
        with transaction.atomic():
            act()
            raise _TriedOut
    except _TriedOut:
        return _ask(kind, what, person, by, note)


def _ask(
    kind: ApprovalKind, what: dict[str, Any], person: User | None, by: User | None, note: str
) -> ApprovalRequest:
    now = timezone.now()
    try:
        with transaction.atomic():
            request = ApprovalRequest.objects.create(
                kind=kind.code,
                what=what,
                said=kind.said(what, person)[:400],
                same=_hash(kind, what, person),
                person=person,
                asked_at=now,
                asked_by=by,
                waits_until=now + approvals.WAITS_FOR,
                note=note,
            )
    except IntegrityError as error:
        raise Refused("This was asked for already and waits for a second person.") from error
    told = _concerned(kind, request)
    ApprovalNotice.objects.bulk_create(ApprovalNotice(request=request, person=one) for one in told)
    _note(LogEvent.APPROVAL_ASKED, request, by)
    approval_notices.asked(request, told)
    return request


def _hash(kind: ApprovalKind, what: dict[str, Any], person: User | None) -> str:
    text = json.dumps([kind.code, what, str(person.pk) if person else ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _concerned(kind: ApprovalKind, request: ApprovalRequest) -> list[User]:
    """The therapists whose ratings would be seen; where one has left, who supervises them; and whom the kind names."""
    therapists = sight.whose(kind.opens(request.what, request.person), but=[request.asked_by])
    left = [one for one in therapists if not one.is_active]
    named = [*therapists, *sight.supervisors_of(left), *kind.tells(request.what, request.person)]
    out = {request.asked_by_id}
    return list({one.pk: one for one in named if one.pk not in out}.values())


# --- Confirmed, refused, withdrawn ----------------------------------------------------------------


def may_confirm(request: ApprovalRequest, user: User) -> bool:
    """Another administrator; or whoever could have let it happen without the office, as the kind says."""
    if not user.is_active or user.pk in (request.asked_by_id, request.person_id):
        return False
    return user.is_administrator or user.pk in {one.pk for one in _may_agree(request)}


def _may_agree(request: ApprovalRequest) -> list[User]:
    """A therapist of whom alone it opens something may agree to it; a supervisor to what only they see beside."""
    kind = kind_of(request.kind)
    but = [request.asked_by, request.person]
    therapists = sight.whose(kind.opens(request.what, request.person), but=but)
    return [*(therapists if len(therapists) == 1 else []), *kind.may_agree(request.what, request.person)]


def may_refuse(request: ApprovalRequest, user: User) -> bool:
    """Any administrator, and everybody who was told of it."""
    return user.is_active and (user.is_administrator or request.notices.filter(person=user).exists())


@transaction.atomic
def confirm(*, request: ApprovalRequest, by: User) -> ApprovalRequest:
    """The second person's word: it takes effect now, as it was asked for."""
    stored = _open(request)
    if not may_confirm(stored, by):
        raise Refused(NOT_YOU)
    _refuse_if_asker_left(stored)
    _carry_out(stored)
    return _decide(stored, Outcome.APPROVED, by, LogEvent.APPROVAL_GIVEN)


@transaction.atomic
def decline(*, request: ApprovalRequest, why: str = "", by: User) -> ApprovalRequest:
    """Refused by somebody else, withdrawn by who asked. What an emergency had opened closes at once."""
    stored = _open(request)
    if not may_refuse(stored, by):
        raise Refused("Those whom this concerns may refuse it, and administrators.")
    kind = kind_of(stored.kind)
    if stored.emergency_made and kind.lapse:
        kind.lapse(stored.emergency_made, timezone.now())
    is_own = by.pk == stored.asked_by_id
    outcome = Outcome.WITHDRAWN if is_own else Outcome.REFUSED
    event = LogEvent.APPROVAL_WITHDRAWN if is_own else LogEvent.APPROVAL_REFUSED
    return _decide(stored, outcome, by, event, why=why)


def _open(request: ApprovalRequest) -> ApprovalRequest:
    rows = ApprovalRequest.objects.select_for_update(of=("self",))
    stored = rows.select_related("person", "asked_by").get(pk=request.pk)
    if not stored.is_open:
        raise Refused(DECIDED)
    return stored


def _refuse_if_asker_left(request: ApprovalRequest) -> None:
    asker = request.asked_by
    if asker is not None and not (asker.is_active and asker.is_administrator):
        raise Refused(f"{asker} asked for this and is no administrator any more. It can be asked for again.")


def _carry_out(request: ApprovalRequest) -> None:
    kind = kind_of(request.kind)
    if request.emergency_made and kind.stay:
        kind.stay(request.emergency_made)
    elif not kind.is_used:
        kind.carry_out({**request.what, "note": request.note}, request.person, by=request.asked_by)


def _decide(
    request: ApprovalRequest, outcome: Outcome, by: User | None, event: LogEvent, why: str = ""
) -> ApprovalRequest:
    request.outcome, request.decided_at, request.decided_by = outcome, timezone.now(), by
    request.why, request.note = why, ""
    request.save(update_fields=STATE)
    _note(event, request, by)
    approval_notices.decided(request)
    return request


# --- Taken by time --------------------------------------------------------------------------------


def take_due() -> int:
    """Let take effect whose 48 hours have passed; how many. By the clock, and by whoever reads next.

    One that cannot take effect any more is void, with the sentence that says why.
    """
    taken = 0
    for pk in ApprovalRequest.objects.due().order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            taken += _taken(pk)
    return taken


def _taken(pk: int) -> bool:
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("person", "asked_by")
    request = rows.due().filter(pk=pk).first()
    if request is None:  # somebody else was first
        return False
    try:
        with transaction.atomic():
            _refuse_if_asker_left(request)
            _carry_out(request)
    except (Refused, Gone) as refusal:
        _decide(request, Outcome.FAILED, None, LogEvent.APPROVAL_VOID, why=str(refusal)[:200])
        return False
    _decide(request, Outcome.WAITED, None, LogEvent.APPROVAL_WAITED)
    return True


# --- An emergency ---------------------------------------------------------------------------------


@transaction.atomic
def open_in_emergency(*, request: ApprovalRequest, reason: str, by: User) -> ApprovalRequest:
    """Now, for twelve hours, with a reason that those concerned read. The request goes on waiting."""
    stored = _open(request)
    kind = kind_of(stored.kind)
    if not kind.has_emergency:
        raise Refused("This opens in no emergency. Ask for a cover or a supervision instead: these do.")
    if not by.is_active or not by.is_administrator:
        raise Refused("An administrator opens ratings in an emergency.")
    if stored.emergency_at:
        raise Refused("This was opened in an emergency already. A second person has to confirm it now.")
    _refuse_if_asker_left(stored)
    now = timezone.now()
    stored.emergency_made = kind.carry_out(
        stored.what, stored.person, by=by, until=now + approvals.EMERGENCY_LASTS
    )
    stored.emergency_at, stored.emergency_by, stored.emergency_reason = now, by, reason
    stored.save(update_fields=EMERGENCY)
    _note(LogEvent.EMERGENCY_OPENED, stored, by)
    approval_notices.emergency(stored)
    return stored


@transaction.atomic
def note_emergency(*, kind: ApprovalKind, person: User, reason: str) -> ApprovalRequest:
    """What a command of the server did at once, as a request that everybody whom it concerns can still refuse."""
    request = _ask(kind, {"emergency": timezone.now().isoformat()}, person, None, "")
    request.emergency_at, request.emergency_reason = request.asked_at, reason
    request.emergency_made, request.used_at = person.pk, request.asked_at
    request.save(update_fields=[*EMERGENCY, "used_at"])
    _note(LogEvent.EMERGENCY_OPENED, request, None)
    approval_notices.emergency(request)
    return request


# --- Seen, and used -------------------------------------------------------------------------------


@transaction.atomic
def mark_seen(*, request: ApprovalRequest, by: User) -> None:
    """Of one that is decided. The same again is nothing."""
    if not request.is_open:
        ApprovalNotice.objects.unseen().filter(request=request, person=by).update(seen_at=timezone.now())


def usable(kind: ApprovalKind, person: User) -> ApprovalRequest | None:
    """The approved request whose one step was not made yet."""
    since = timezone.now() - approvals.USABLE_FOR
    rows = ApprovalRequest.objects.filter(kind=kind.code, person=person, used_at__isnull=True)
    return rows.filter(outcome__in=[Outcome.APPROVED, Outcome.WAITED], decided_at__gt=since).first()


@transaction.atomic
def use(*, request: ApprovalRequest, act: Callable[[], Made]) -> Made:
    """What `act` makes, once."""
    unused = ApprovalRequest.objects.filter(pk=request.pk, used_at__isnull=True)
    if not unused.update(used_at=timezone.now()):
        raise Refused(DECIDED)
    return act()


def _note(event: LogEvent, request: ApprovalRequest, by: User | None) -> None:
    about: dict[str, Any] = {"approval": request.kind}
    if request.person_id:
        about["for"] = str(request.person_id)
    audit.record(event, request, by=by, **about)
