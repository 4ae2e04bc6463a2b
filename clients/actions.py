"""The writes about clients and their episodes: keyword-only, one transaction each, the log inside.

Every refusal is a `Refused` whose text is a sentence for the person at the screen.
"""

from datetime import date
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.form_keys import key_of_press
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed, refuse_if_changed
from clients.closing import courses, held_after
from clients.lock import lock_client, lock_episode, lock_staff
from clients.models import READABLE_FOR, Client, Cover, Ending, Episode, EpisodeClosing
from clients.plausible_days import NOT_AHEAD, refuse_implausible, said


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
    stands = lock_client(client)
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
    if (stored := lock_client(client)).merged_into_id:
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
    now_stored = lock_episode(episode.pk)
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
    now_stored = lock_episode(episode.pk)
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


def _refuse_if_transferred(episode: Episode, by: User) -> None:
    """Who was transferred away comes back the same way, not by the former therapist alone."""
    if episode.ending == Ending.TRANSFERRED and not by.is_administrator:
        raise Refused(f"{episode.client} was transferred. An administrator can transfer them back.")
