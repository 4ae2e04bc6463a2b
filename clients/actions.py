"""The writes about people: keyword-only, one transaction each, the log inside.

Every refusal is a `Refused` whose text is a sentence for the person at the screen.
"""

from datetime import date

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from alliance import audit
from alliance.models import Role, User
from clients.models import Client, Ending, Episode, Supervision


class Refused(Exception):
    """A write that cannot be; the text is a sentence for the person at the screen."""


@transaction.atomic
def add_person(*, email: str, name: str, roles: set[Role], by: User) -> User:
    """A new member of staff, without a password: they choose their own through an invitation."""
    person = User.objects.create_user(
        email=email, name=name, **{f"is_{role.value}": role in roles for role in Role}
    )
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    audit.record("person added", person, by=by, roles=sorted(roles))
    return person


@transaction.atomic
def change_person(*, person: User, name: str, roles: set[Role], is_active: bool, by: User) -> User:
    """Change name, roles, and whether the person may sign in. The last administrator stays."""
    keeps_office = is_active and Role.ADMINISTRATOR in roles
    others = User.objects.with_role(Role.ADMINISTRATOR).exclude(pk=person.pk)
    if Role.ADMINISTRATOR in person.roles and not keeps_office and not others.exists():
        raise Refused("This is the only administrator. Make somebody else an administrator first.")
    person.name, person.is_active = name, is_active
    for role in Role:
        setattr(person, f"is_{role.value}", role in roles)
    person.save()
    audit.record("person changed", person, by=by, roles=sorted(roles), may_sign_in=is_active)
    return person


@transaction.atomic
def start_supervision(*, supervisor: User, therapist: User, starts_on: date, by: User) -> Supervision:
    if supervisor == therapist:
        raise Refused("Nobody supervises themselves.")
    if not supervisor.is_supervisor or not therapist.is_therapist:
        raise Refused("Choose a supervisor and a therapist.")
    if Supervision.objects.filter(supervisor=supervisor, therapist=therapist, ends_on__isnull=True).exists():
        raise Refused(f"{supervisor} supervises {therapist} already.")
    supervision = Supervision.objects.create(supervisor=supervisor, therapist=therapist, starts_on=starts_on)
    audit.record(
        "supervision started", supervision, by=by, supervisor=str(supervisor.pk), therapist=str(therapist.pk)
    )
    return supervision


@transaction.atomic
def end_supervision(*, supervision: Supervision, last_day: date, by: User) -> Supervision:
    """`last_day` is the last day on which the supervisor sees the caseload."""
    if last_day < supervision.starts_on:
        raise Refused("A supervision cannot end before it starts.")
    supervision.ends_on = last_day
    supervision.save(update_fields=["ends_on"])
    audit.record("supervision ended", supervision, by=by, last_day=last_day.isoformat())
    return supervision


@transaction.atomic
def register_client(
    *, label: str, language: str, age_band: str, therapist: User, opened_on: date, by: User
) -> Episode:
    """A new client, with their first episode."""
    client = Client.objects.create(label=label, language=language, age_band=age_band)
    audit.record("client registered", client, by=by, client=client.code)
    return open_episode(client=client, therapist=therapist, opened_on=opened_on, by=by)


@transaction.atomic
def change_client(*, client: Client, label: str, language: str, age_band: str, by: User) -> Client:
    client.label, client.language, client.age_band = label, language, age_band
    client.save()
    audit.record("client changed", client, by=by, client=client.code)
    return client


def open_episode(*, client: Client, therapist: User, opened_on: date, by: User) -> Episode:
    if not therapist.has_any_role(frozenset({Role.THERAPIST})):
        raise Refused(f"{therapist} is not a therapist who may sign in.")
    try:
        with transaction.atomic():
            episode = Episode.objects.create(client=client, therapist=therapist, opened_on=opened_on)
            audit.record("episode opened", episode, by=by, client=client.code, therapist=str(therapist.pk))
    except IntegrityError as error:
        raise Refused(f"{client} is in therapy with {therapist} already.") from error
    return episode


@transaction.atomic
def close_episode(*, episode: Episode, closed_on: date, ending: str, by: User) -> Episode:
    if not episode.is_open:
        raise Refused("This episode is closed already.")
    if closed_on < episode.opened_on:
        raise Refused("An episode cannot close before it was opened.")
    episode.closed_on, episode.ending = closed_on, ending
    episode.save(update_fields=["closed_on", "ending"])
    audit.record("episode closed", episode, by=by, client=episode.client_code, ending=ending)
    return episode


@transaction.atomic
def reopen_episode(*, episode: Episode, by: User) -> Episode:
    """Undo of `close_episode`."""
    if Episode.objects.open().filter(client=episode.client, therapist=episode.therapist).exists():
        raise Refused(f"{episode.client} is in therapy with {episode.therapist} again already.")
    episode.closed_on, episode.ending = None, ""
    episode.save(update_fields=["closed_on", "ending"])
    audit.record("episode reopened", episode, by=by, client=episode.client_code)
    return episode


@transaction.atomic
def transfer_episode(*, episode: Episode, therapist: User, on: date, by: User) -> Episode:
    """Close the episode as transferred and open a new one: the alliance belongs to the pair and starts anew."""
    if therapist == episode.therapist:
        raise Refused(f"{episode.client} is with {therapist} already.")
    close_episode(episode=episode, closed_on=on, ending=Ending.TRANSFERRED, by=by)
    return open_episode(client=episode.client, therapist=therapist, opened_on=on, by=by)
