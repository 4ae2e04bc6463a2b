"""The writes about people: keyword-only, one transaction each, the log inside.

Every refusal is a `Refused` whose text is a sentence for the person at the screen.
"""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance import audit, email_addresses, mail
from alliance.form_keys import key_of_press
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import ERASED, Gone, Refused
from alliance.stale_forms import Opened, changed, refuse_if_changed
from clients.closing import courses, held_after
from clients.models import READABLE_FOR, Client, Cover, Ending, Episode, EpisodeClosing
from clients.plausible_days import NOT_AHEAD, refuse_implausible, said

# --- Staff ---------------------------------------------------------------------------------------


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
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    except IntegrityError as error:  # between the look and the write, somebody else added it
        if key and (made := User.objects.filter(pk=key).first()):
            return made
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
) -> User:
    """Change name, roles, and whether the person may sign in. The last administrator stays.

    Whoever can treat nobody from now on leaves no open episode behind: `successor` takes all of them over.
    """
    # The locks make two administrators who remove each other queue: the second one is refused; so is whoever opens
    # an episode with this person meanwhile. In one statement: else this and a transfer could wait for each other.
    office = User.objects.with_role(Role.ADMINISTRATOR)
    stands = lock_staff(person, *office, *([successor] if successor else []))[person.pk]
    offices = list(office.all())
    new = changed(
        opened_with,
        stored={"name": stands.name, "roles": set(stands.roles), "is_active": stands.is_active},
        typed={"name": name, "roles": roles, "is_active": is_active},
    )
    keeps_office = is_active and Role.ADMINISTRATOR in roles
    if offices == [person] and not keeps_office:
        raise Refused("This is the only administrator. Make somebody else an administrator first.")
    if not (is_active and Role.THERAPIST in roles):
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


def _hand_over_clients(person: User, successor: User | None, by: User | None) -> None:
    """The caller holds the locks of both people."""
    from clients import caseload_transfer

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


def lock_staff(*people: User) -> dict[Any, User]:
    """{pk: this person as stored now}, held until the end of the transaction; taken before the lock of an episode.

    The weaker lock, which lets others write rows that name these people.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=[person.pk for person in people])
    return {row.pk: row for row in rows.order_by("pk")}


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
def invite(*, person: User, by: User | None) -> str:
    """The path of a page on which the person chooses a password, once. Earlier invitations become void."""
    if not person.is_active:
        raise Refused(f"{person} may not sign in. Allow it first, then invite.")
    if not person.has_usable_password():
        person.set_unusable_password()  # a new random one: the links drawn from the old one no longer open
        person.save(update_fields=["password"])
    audit.record(LogEvent.INVITED, person, by=by)
    key = default_token_generator.make_token(person)
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
    change_person(person=person, name=name or person.name, roles=roles, is_active=True, by=None)
    if Authenticator.objects.filter(user=person).delete()[0]:
        audit.record(LogEvent.SECOND_FACTOR_REMOVED, person, by=None)
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


# --- Clients and episodes ------------------------------------------------------------------------


@transaction.atomic
def register_client(
    *,
    label: str,
    language: str,
    age_band: str,
    therapist: User,
    opened_on: date,
    by: User,
    form_key: UUID | None = None,
) -> Episode:
    """A new client, with their first episode. form_key: sent again with the same one, the episode that it opened."""
    code = key_of_press(form_key, "client", by.pk) or uuid4()
    if Client.objects.filter(code=code).exists():
        return _registered_before(code)
    try:
        with transaction.atomic():
            client = Client.objects.create(code=code, label=label, language=language, age_band=age_band)
    except IntegrityError:  # the other of two presses at once was first
        return _registered_before(code)
    audit.record(LogEvent.CLIENT_REGISTERED, client, by=by, client=client.code)
    return open_episode(client=client, therapist=therapist, opened_on=opened_on, by=by)


def _registered_before(code: UUID) -> Episode:
    episode = Episode.objects.filter(client__code=code).order_by("pk").first()
    if episode is None:
        raise Refused(
            "This page was sent before, and its client was merged since. Look for them in the list."
        )
    return episode


@transaction.atomic
def change_client(
    *,
    client: Client,
    label: str,
    language: str,
    age_band: str,
    by: User,
    opened_with: Opened | None = None,
) -> Client:
    """The client may choose another language on the form meanwhile: only what `by` changed is written."""
    stands = _held(client)
    typed = {"label": label, "language": language, "age_band": age_band}
    new = changed(opened_with, stored={name: getattr(stands, name) for name in typed}, typed=typed)
    client.refresh_from_db(fields=typed)
    if not new:
        return client
    for field, value in new.items():
        setattr(client, field, value)
    client.save(update_fields=new)
    audit.record(LogEvent.CLIENT_CHANGED, client, by=by, client=client.code)
    return client


@transaction.atomic
def open_episode(*, client: Client, therapist: User, opened_on: date, by: User) -> Episode:
    refuse_implausible(opened_on)
    _refuse_unless_therapist(therapist)
    # The lock: a merge that is under way would leave the new episode behind in a record that is in no list.
    if (stored := _held(client)).merged_into_id:
        raise Refused(f"{stored} was merged with another record meanwhile. Look for the client in the list.")
    last = Episode.objects.filter(client=client, therapist=therapist).order_by("opened_on", "pk").last()
    if last is not None:
        _refuse_if_transferred(last, by)
    try:
        with transaction.atomic():
            episode = Episode.objects.create(client=client, therapist=therapist, opened_on=opened_on)
    except IntegrityError as error:
        raise Refused(f"{client} is in therapy with {therapist} already.") from error
    audit.record(LogEvent.EPISODE_OPENED, episode, by=by, client=client.code, therapist=str(therapist.pk))
    return episode


def _refuse_unless_therapist(person: User) -> None:
    stored = lock_staff(person).get(person.pk)
    if stored is None or not stored.has_any_role(frozenset({Role.THERAPIST})):
        raise Refused(f"{person} is not a therapist who may sign in.")


@transaction.atomic
def close_episode(*, episode: Episode, closed_on: date, ending: str, by: User) -> Episode:
    """End an episode on a day, never before its own sessions. What was still out is settled, and kept as a row.

    Planned sessions to come are cancelled; forms that nobody opened are taken back; those that somebody may be
    marking stay good until their time, so that no rating is lost (`EpisodeClosing`).
    """
    refuse_implausible(closed_on, ahead=NOT_AHEAD)
    now_stored = _locked(episode)
    if not now_stored.is_open:
        raise Refused("This episode is closed already.")
    if closed_on < now_stored.opened_on:
        raise Refused(f"An episode cannot close before it was opened, on {said(now_stored.opened_on)}.")
    out = courses().still_out({episode.pk: closed_on})[episode.pk]
    if out.held_after:
        raise Refused(held_after(str(episode.client), closed_on, out))
    closing = EpisodeClosing(episode=episode, closed_by=by)
    courses().end(closing, closed_on, by)
    closing.save()
    episode.closed_on, episode.ending = closed_on, ending
    episode.save(update_fields=["closed_on", "ending"])
    # Who covered saw the course as its therapist does; from here on it is the therapist's alone.
    Cover.objects.not_over().filter(episode=episode).update(ended_at=timezone.now(), ended_by=by)
    audit.record(LogEvent.EPISODE_CLOSED, episode, by=by, client=episode.client_code, ending=ending)
    return episode


@transaction.atomic
def reopen_episode(*, episode: Episode, by: User, opened_with: Opened | None = None) -> Episode:
    """Undo of `close_episode`. Sessions to come that it cancelled are planned again."""
    _refuse_unless_therapist(episode.therapist)
    now_stored = _locked(episode)
    if now_stored.closed_on is None:
        raise Refused("This episode is open.")
    refuse_if_changed(opened_with, how_it_ended(now_stored))
    _refuse_if_transferred(now_stored, by)
    if now_stored.closed_on < timezone.localdate() - READABLE_FOR and not by.is_administrator:
        raise Refused(
            f"This episode ended more than {READABLE_FOR.days} days ago. An administrator can reopen it; "
            "for a new course of therapy, open another episode."
        )
    episode.closed_on, episode.ending = None, ""
    try:
        with transaction.atomic():
            episode.save(update_fields=["closed_on", "ending"])
    except IntegrityError as error:
        raise Refused(f"{episode.client} is in therapy with {episode.therapist} again already.") from error
    if closing := episode.closings.filter(undone_at__isnull=True).first():
        closing.undone_at, closing.undone_by = timezone.now(), by
        closing.save(update_fields=["undone_at", "undone_by"])
        courses().take_up(closing, by)
    # A cover that was made for reading an ended course does not become one that writes.
    Cover.objects.not_over().filter(episode=episode).update(ended_at=timezone.now(), ended_by=by)
    audit.record(LogEvent.EPISODE_REOPENED, episode, by=by, client=episode.client_code)
    return episode


def how_it_ended(episode: Episode) -> dict[str, str]:
    """What the page says on which an ending is taken back."""
    closed_on = f"{episode.closed_on:%-d %B %Y}" if episode.closed_on else ""
    return {"Closed on": closed_on, "How it ended": episode.get_ending_display()}


def _locked(episode: Episode) -> Episode:
    """The episode as it is stored now, held until the end of the transaction."""
    try:
        return Episode.objects.select_for_update().get(pk=episode.pk)
    except Episode.DoesNotExist as gone:
        raise Gone(ERASED) from gone


def _held(client: Client) -> Client:
    """The client as stored now, held until the end: one who is being erased is given no new episode."""
    try:
        return Client.objects.select_for_update().get(pk=client.pk)
    except Client.DoesNotExist as gone:
        raise Gone(ERASED) from gone


def _refuse_if_transferred(episode: Episode, by: User) -> None:
    """Who was transferred away comes back the same way, not by the former therapist alone."""
    if episode.ending == Ending.TRANSFERRED and not by.is_administrator:
        raise Refused(f"{episode.client} was transferred. An administrator can transfer them back.")
