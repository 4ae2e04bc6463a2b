"""Roles, links, addresses and second factors of people on the list, with a second person (docs/adr/0068).

Whoever can draw a link for somebody else can sign in as them. So this concerns all who see ratings, and all who are
the second person of others: administrators. Taking away is never kept waiting: roles, sign-in, a supervision.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.approvals import ApprovalRequest
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.stale_forms import Opened
from clients import approval_kinds, approval_notices, approved_records, sight, staff_actions
from clients.approval_actions import do_or_ask, note_emergency, usable, use
from clients.approval_kinds import ApprovalKind, What
from clients.caseload_transfer import Move
from clients.models import Episode

CLINICAL = frozenset({Role.THERAPIST, Role.SUPERVISOR})


def _them(what: What, person: User | None) -> Iterable[User]:
    """Whose account it is is told, at the address they had until now; and who supervises them may confirm."""
    return [person] if person else []


def _supervisors(what: What, person: User | None) -> Iterable[User]:
    return sight.supervisors_of([person]) if person else []


def _sees(what: What, person: User | None) -> Any:
    return sight.of_person(person) if person else Episode.objects.none()


def has_a_say(person: User) -> bool:
    """Whether another way in to this account is a way to ratings: they see some, or confirm what opens some."""
    return sight.sees_marks(person) or (person.is_administrator and sight.clinic_has_marks())


# --- Roles ----------------------------------------------------------------------------------------


def _more_roles(what: What, person: User, *, by: User | None, until: datetime | None = None) -> User:
    person.refresh_from_db()
    return staff_actions.change_person(
        person=person,
        name=person.name,
        roles={*person.roles, *(Role(one) for one in what["roles"])},
        is_active=person.is_active or what["sign_in"],
        by=by,
        leaves_open=True,
    )


def _said_roles(what: What, person: User | None) -> str:
    gets = [f"the role {Role(one).label.lower()}" for one in what["roles"]]
    if what["sign_in"]:
        gets.append("may sign in again")
    return f"{person}: {', '.join(gets)}"


def _told_of_roles(what: What, person: User | None) -> Iterable[User]:
    """An administrator is the second person of everybody: all who see ratings are told of a new one."""
    return _all_who_see_marks() if Role.ADMINISTRATOR in what["roles"] else _them(what, person)


def _all_who_see_marks() -> list[User]:
    return [one for role in CLINICAL for one in User.objects.with_role(role)]


ROLES = approval_kinds.register(
    ApprovalKind(
        code="roles",
        named="another role, or signing in again",
        said=_said_roles,
        carry_out=_more_roles,
        opens=_sees,
        tells_no_labels=True,
        tells=_told_of_roles,
    )
)


def _needs_for_roles(person: User, added: set[Role], signs_in: bool) -> bool:
    """Somebody who was just invited and never came gets the other role at once, as if invited with it."""
    if not (added or signs_in) or not sight.clinic_has_marks():
        return False
    is_new = not person.has_usable_password() and person.last_login is None and not sight.sees_marks(person)
    return not is_new or Role.ADMINISTRATOR in added


@transaction.atomic
def add_person(
    *, email: str, name: str, roles: set[Role], by: User | None, form_key: UUID | None = None
) -> User:
    """Somebody new, at once: they have no clients yet. But an administrator is a second person, and so asked for."""
    now = set(roles)
    if sight.clinic_has_marks():
        now -= {Role.ADMINISTRATOR}
    person = staff_actions.add_person(email=email, name=name, roles=now, by=by, form_key=form_key)
    if waiting := set(roles) - now - set(person.roles):
        ask_for_roles(person=person, roles=waiting, signs_in=False, by=by, again_is_fine=True)
    return person


def ask_for_roles(
    *, person: User, roles: set[Role], signs_in: bool, by: User | None, again_is_fine: bool = False
) -> ApprovalRequest | None:
    what = {"roles": sorted(role.value for role in roles), "sign_in": signs_in}

    def act() -> User:
        return _more_roles(what, User.objects.get(pk=person.pk), by=by)

    try:
        made = do_or_ask(kind=ROLES, what=what, person=person, by=by, opens=True, act=act)
    except Refused:
        if again_is_fine:
            return None
        raise
    return made if isinstance(made, ApprovalRequest) else None


@transaction.atomic
def change_person(
    *,
    person: User,
    name: str,
    roles: set[Role],
    is_active: bool,
    by: User,
    successor: User | None = None,
    opened_with: Opened | None = None,
) -> tuple[User, list[ApprovalRequest]]:
    """What is taken away, and the name, at once; what opens ratings waits. The person, and what waits."""
    stands = User.objects.get(pk=person.pk)
    shown = opened_with.values if opened_with else None
    held = set(stands.roles) if shown is None else {Role(one) for one in shown.get("roles", ())}  # type: ignore[union-attr]
    was_active = stands.is_active if shown is None else bool(shown.get("is_active"))
    added, signs_in = (
        set(roles) - held - set(stands.roles),
        is_active and not was_active and not stands.is_active,
    )
    if not _needs_for_roles(stands, added, signs_in):
        added, signs_in = set(), False
    moves = _left_behind(stands, roles, is_active, successor)
    waits_for_transfer = bool(moves) and bool(
        sight.whose(Episode.objects.filter(pk__in=_pks(moves)), but=[by])
    )
    staff_actions.change_person(
        person=person,
        name=name,
        roles=set(roles) - added,
        by=by,
        opened_with=opened_with,
        is_active=is_active and not signs_in,
        successor=successor,
        leaves_open=waits_for_transfer,
    )
    waiting: list[Any] = []
    if added or signs_in:
        waiting.append(ask_for_roles(person=person, roles=added, signs_in=signs_in, by=by))
    if waits_for_transfer:
        waiting.append(approved_records.transfer(moves=moves, on=timezone.localdate(), by=by))
    return person, waiting


def _left_behind(person: User, roles: set[Role], is_active: bool, successor: User | None) -> list[Move]:
    if successor is None or (is_active and Role.THERAPIST in roles):
        return []
    rows = Episode.objects.open().filter(therapist=person).select_related("client", "therapist")
    return [Move(episode, successor) for episode in rows]


def _pks(moves: list[Move]) -> list[int]:
    return [move.episode.pk for move in moves]


# --- The way in to an account ---------------------------------------------------------------------


def _nothing_yet(what: What, person: User | None, **more: Any) -> None:
    """The link is drawn by an administrator, once: nobody could be shown it now."""


INVITATION = approval_kinds.register(
    ApprovalKind(
        code="invitation",
        named="a link to choose a password",
        said=lambda what, person: f"{person} gets a link to choose a new password",
        carry_out=_nothing_yet,
        opens=_sees,
        tells_no_labels=True,
        may_agree=_supervisors,
        tells=_them,
        is_used=True,
    )
)


@transaction.atomic
def invite(*, person: User, by: User) -> str | ApprovalRequest:
    """The path of the page for a password; for those who see ratings, the request, and once it is granted the path."""
    act = partial(staff_actions.invite, person=person, by=by)
    if granted := usable(INVITATION, person):
        return str(use(request=granted, act=act))
    made: str | ApprovalRequest = do_or_ask(
        kind=INVITATION, what={}, person=person, by=by, opens=has_a_say(person), act=act
    )
    return made


def _other_address(what: What, person: User, *, by: User, until: datetime | None = None) -> User:
    former = person.email
    changed = staff_actions.change_email(person=person, email=what["email"], by=by)
    approval_notices.to_former_address(former)
    return changed


EMAIL = approval_kinds.register(
    ApprovalKind(
        code="email",
        named="another e-mail address",
        said=lambda what, person: f"{person} signs in with another e-mail address, {what['email']}",
        carry_out=_other_address,
        opens=_sees,
        tells_no_labels=True,
        may_agree=_supervisors,
        tells=_them,
    )
)


def change_email(
    *, person: User, email: str, by: User, opened_with: Opened | None = None
) -> User | ApprovalRequest:
    made: User | ApprovalRequest = do_or_ask(
        kind=EMAIL,
        what={"email": email.lower()},
        person=person,
        by=by,
        opens=person != by and has_a_say(person),
        act=partial(staff_actions.change_email, person=person, email=email, by=by, opened_with=opened_with),
    )
    return made


def _without_factor(what: What, person: User, *, by: User, until: datetime | None = None) -> User:
    return staff_actions.remove_second_factor(person=person, by=by)


SECOND_FACTOR = approval_kinds.register(
    ApprovalKind(
        code="second factor",
        named="the removal of a second factor",
        said=lambda what, person: f"The second factor of {person} is removed",
        carry_out=_without_factor,
        opens=_sees,
        tells_no_labels=True,
        may_agree=_supervisors,
        tells=_them,
    )
)


def remove_second_factor(
    *, person: User, by: User, opened_with: Opened | None = None
) -> User | ApprovalRequest:
    made: User | ApprovalRequest = do_or_ask(
        kind=SECOND_FACTOR,
        what={},
        person=person,
        by=by,
        opens=has_a_say(person),
        act=partial(staff_actions.remove_second_factor, person=person, by=by, opened_with=opened_with),
    )
    return made


# --- The command of the server --------------------------------------------------------------------


WAY_BACK = approval_kinds.register(
    ApprovalKind(
        code="way back",
        named="a way back in as an administrator",
        said=lambda what, person: (
            f"{person} becomes an administrator with a new password and second factor (asked for on the server)"
        ),
        carry_out=_nothing_yet,
        opens=_sees,
        tells_no_labels=True,
        tells=lambda what, person: [*_them(what, person), *_all_who_see_marks()],
        lapse=lambda made, at: staff_actions.shut_out(User.objects.get(pk=made)),
        is_used=True,
    )
)


@transaction.atomic
def let_back_in(*, person: User, name: str, emergency: str = "") -> User | ApprovalRequest:
    """At once in a clinic without ratings; else what waits, and once it is granted the person.

    emergency: the reason for which it is done now. Everybody who sees ratings is told, and may shut the person out.
    """
    act = partial(staff_actions.let_back_in, person=person, name=name)
    if emergency:
        opened: User = act()
        note_emergency(kind=WAY_BACK, person=opened, reason=emergency)
        return opened
    if granted := usable(WAY_BACK, person):
        done: User = use(request=granted, act=act)
        return done
    made: User | ApprovalRequest = do_or_ask(
        kind=WAY_BACK, what={}, person=person, by=None, opens=sight.clinic_has_marks(), act=act
    )
    return made
