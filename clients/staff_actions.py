"""The writes about members of staff: keyword-only, one transaction each, the log inside."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance import audit, email_addresses, mail, password_links
from alliance.form_keys import key_of_press
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed, refuse_if_changed
from clients import caseload_transfer
from clients.lock import lock_staff
from clients.models import Episode


@transaction.atomic
def add_person(
    *, email: str, name: str, roles: set[Role], by: User | None, form_key: UUID | None = None
) -> User:
    """A new member of staff, without a password: they choose their own through an invitation.

    form_key: sent again with the same one, the person whom it added.
    """
    fields: dict[str, Any] = {f"is_{role.value}": role in roles for role in Role}
    if key := key_of_press(form_key, "person", by.pk if by else None):
        fields["pk"] = key
    if key and (made := User.objects.filter(pk=key).first()):
        return made
    try:
        with transaction.atomic():
            person = User.objects.create_user(email=email, name=name, **fields)
    except (ValidationError, IntegrityError) as error:
        # The other of two presses at once may have been first.
        if key and (made := User.objects.filter(pk=key).first()):
            return made
        if isinstance(error, ValidationError):
            raise Refused(" ".join(error.messages)) from error
        raise Refused("Somebody with this e-mail address is on the list already.") from error
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    audit.record(LogEvent.PERSON_ADDED, person, by=by, roles=sorted(roles))
    return person


@transaction.atomic
def change_person(
    *,
    person: User,
    name: str,
    roles: set[Role],
    is_active: bool,
    by: User | None,
    successor: User | None = None,
    opened_with: Opened | None = None,
    leaves_open: bool = False,
) -> User:
    """Change name, roles, and whether the person may sign in. The last administrator who can sign in stays.

    Whoever can treat nobody from now on leaves no open episode behind: `successor` takes all of them over.
    leaves_open: their transfer waits for a second person, and what is taken away does not.
    """
    # The locks make two administrators who remove each other queue: the second one is refused; so is whoever opens
    # an episode with this person meanwhile. In one statement: else this and a transfer could wait for each other.
    office = User.objects.with_role(Role.ADMINISTRATOR)
    stands = lock_staff(person, *office, *([successor] if successor else []))[person.pk]
    others = [one for one in office.all() if one != person and can_sign_in(one)]
    new = changed(
        opened_with,
        stored={"name": stands.name, "roles": set(stands.roles), "is_active": stands.is_active},
        typed={"name": name, "roles": roles, "is_active": is_active},
    )
    keeps_office = is_active and Role.ADMINISTRATOR in roles
    holds_office = stands.is_active and stands.is_administrator
    if holds_office and not keeps_office and not others:
        raise Refused(
            "This is the only administrator who can sign in. Make somebody else an administrator first, and wait "
            "until they have chosen a password and set up a second factor."
        )
    if not (is_active and Role.THERAPIST in roles) and not leaves_open:
        _hand_over_clients(person, successor, by)
    person.refresh_from_db(fields=["name", "is_active", *(f"is_{role.value}" for role in Role)])
    if not new:
        return person
    if "roles" in new:
        new |= {f"is_{role.value}": role in roles for role in Role}
        del new["roles"]
    for field, value in new.items():
        setattr(person, field, value)
    person.save(update_fields=new)
    if not is_active:
        _end_sessions(person)
    audit.record(LogEvent.PERSON_CHANGED, person, by=by, roles=sorted(roles), may_sign_in=is_active)
    return person


def can_sign_in(person: User) -> bool:
    """Whether they have all that they need for it; who was only invited has not."""
    has_factor = not settings.SECOND_FACTOR_REQUIRED or is_mfa_enabled(person)
    return person.is_active and person.has_usable_password() and has_factor


def _hand_over_clients(person: User, successor: User | None, by: User | None) -> None:
    """The caller holds the locks of both people."""
    open_ones = list(Episode.objects.open().filter(therapist=person).select_related("client", "therapist"))
    if not open_ones:
        return
    if successor is None or by is None:
        some = "1 open client" if len(open_ones) == 1 else f"{len(open_ones)} open clients"
        raise Refused(
            f"{person} has {some}, whom nobody would see. Transfer them first, or name who takes them over."
        )
    moves = [caseload_transfer.Move(episode, successor) for episode in open_ones]
    caseload_transfer.transfer(moves=moves, on=timezone.localdate(), by=by)


@transaction.atomic
def change_email(*, person: User, email: str, by: User, opened_with: Opened | None = None) -> User:
    """Another address for somebody who cannot confirm it: a slip, a new name, a mailbox that is gone."""
    if person == by and mail.is_set_up():
        raise Refused("You change your own e-mail address under Account and security.")
    stands = User.objects.select_for_update().get(pk=person.pk)
    changed(opened_with, stored={"email": stands.email}, typed={"email": email.lower()})
    email_addresses.change_email(person=person, email=email, by=by)
    if person != by:
        _end_sessions(person)
    return person


@transaction.atomic
def invite(*, person: User, by: User | None, good_for: timedelta = password_links.INVITATION_GOOD_FOR) -> str:
    """The path of a page on which the person chooses a password, once. Every earlier link becomes void."""
    if not person.is_active:
        raise Refused(f"{person} may not sign in. Allow it first, then invite.")
    audit.record(LogEvent.INVITED, person, by=by)
    key = password_links.invitation(person, good_for)
    return reverse(
        "account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": key}
    )


@transaction.atomic
def remove_second_factor(*, person: User, by: User | None, opened_with: Opened | None = None) -> User:
    """For somebody who lost phone and recovery codes: they set up another one at the next sign-in."""
    if person == by:
        raise Refused("You change your own second factor under Account and security.")
    if is_set_up := second_factor_of(person):
        refuse_if_changed(opened_with, is_set_up)
    if not Authenticator.objects.filter(user=person).delete()[0]:
        raise Refused(f"{person} has no second factor.")
    _end_sessions(person)
    audit.record(LogEvent.SECOND_FACTOR_REMOVED, person, by=by)
    return person


@transaction.atomic
def end_sign_ins(*, person: User, by: User) -> User:
    """Sign this person out on every browser. Whoever has password and second factor signs in anew."""
    if person == by:
        raise Refused("You end your own sign-ins under Account and security.")
    _end_sessions(person)
    audit.record(LogEvent.SIGN_INS_ENDED, person, by=by)
    return person


def second_factor_of(person: User) -> dict[str, str]:
    """What the page says on which it is removed; empty where there is none. Another one is not the lost one."""
    newest = Authenticator.objects.filter(user=person).order_by("created_at", "pk").last()
    if newest is None:
        return {}
    return {"Second factor": f"set up on {timezone.localtime(newest.created_at):%-d %B %Y, %H:%M:%S}"}


@transaction.atomic
def let_back_in(*, person: User, name: str) -> User:
    """For `manage.py create_administrator`: an administrator again, with nothing left of the former way in.

    The old password goes too: with the second factor away, it alone would open the account until the link is used.
    """
    roles = {*person.roles, Role.ADMINISTRATOR}
    change_person(
        person=person, name=name or person.name, roles=roles, is_active=True, by=None, leaves_open=True
    )
    if Authenticator.objects.filter(user=person).delete()[0]:
        audit.record(LogEvent.SECOND_FACTOR_REMOVED, person, by=None)
    return shut_out(person)


@transaction.atomic
def shut_out(person: User) -> User:
    """Signed out everywhere, with no password: nobody comes in without a new link."""
    person.set_unusable_password()
    person.save(update_fields=["password"])
    _end_sessions(person)
    return person


@transaction.atomic
def note_export(*, asked: dict[str, str], about: frozenset[UUID], by: User) -> None:
    """The access log is about to leave as a file; `asked` tells in codes which part of it, `about` which clients."""
    audit.log_read(LogEvent.LOG_EXPORTED, asked=asked, about=about, by=by)


def _end_sessions(person: User) -> None:
    for open_session in UserSession.objects.filter(user=person):
        open_session.end()
    person.browser_sessions.all().delete()  # the list of sign-ins may lack some
