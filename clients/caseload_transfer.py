"""Clients who change hands in one step: one of them, a selection, or a whole caseload."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients import actions
from clients.closing import courses
from clients.lock import lock_episodes, lock_staff
from clients.models import CaseloadTransfer, Ending, Episode, EpisodeClosing, EpisodeTransfer


@dataclass(frozen=True)
class Move:
    """An open episode, and who goes on with the client."""

    episode: Episode
    therapist: User


@transaction.atomic
def transfer(*, moves: Sequence[Move], on: date, by: User) -> CaseloadTransfer:
    """All of these clients, or none. Each episode ends on that day, and one with the new therapist begins.

    Where some cannot be transferred, the refusal names every one of them.
    """
    if not moves:
        raise Refused("No client is chosen, so there is nothing to transfer.")
    # People first, then episodes, each in the order of their numbers: two transfers at once must not wait for
    # each other.
    lock_staff(*{move.therapist for move in moves})
    lock_episodes([move.episode.pk for move in moves])
    made = CaseloadTransfer.objects.create(on=on, made_by=by)
    refusals = []
    for move in moves:
        try:
            with transaction.atomic():
                _move(made, move, on, by)
        except Refused as refusal:
            refusals.append(str(refusal) if len(moves) == 1 else f"{move.episode.client}: {refusal}")
    if refusals:
        raise Refused(" ".join(refusals))
    return made


def _move(made: CaseloadTransfer, move: Move, on: date, by: User) -> None:
    episode, therapist = move.episode, move.therapist
    if therapist == episode.therapist:
        raise Refused(f"{episode.client} is with {therapist} already.")
    actions.close_episode(episode=episode, closed_on=on, ending=Ending.TRANSFERRED, by=by)
    new = actions.open_episode(client=episode.client, therapist=therapist, opened_on=on, by=by)
    EpisodeTransfer.objects.create(transfer=made, episode=episode, to=new, therapist=therapist)


@transaction.atomic
def undo(*, made: CaseloadTransfer, by: User) -> None:
    """All of these clients back to their former therapists, as long as nothing was written in the new episodes.

    The new episodes are taken away, since nothing is in them; the log keeps that they were there.
    """
    rows = list(made.episodes.select_related("episode__client", "episode__therapist", "to__therapist"))
    lock_staff(*{row.episode.therapist for row in rows})
    touched = {row.episode_id for row in rows} | {row.to_id for row in rows if row.to_id}
    lock_episodes(touched)
    made.refresh_from_db(fields=["undone_at"])
    if made.undone_at is not None:
        raise Refused("This transfer was taken back already.")
    begun = [str(row.episode.client) for row in rows if not _taken_away(row, by)]
    if begun:
        raise Refused(
            f"Something was written in the new episode already: {', '.join(begun)}. "
            "Transfer these clients back instead, one by one or together."
        )
    for row in rows:
        actions.reopen_episode(episode=row.episode, by=by)
    made.undone_at, made.undone_by = timezone.now(), by
    made.save(update_fields=["undone_at", "undone_by"])


def _taken_away(row: EpisodeTransfer, by: User) -> bool:
    """Whether the new episode could go. The database itself says whether anything hangs on it."""
    new = row.to
    if new is None or not new.is_open or EpisodeClosing.objects.filter(episode=new).exists():
        return False
    try:
        with transaction.atomic():
            courses().forget(new)
            audit.record(
                LogEvent.EPISODE_TAKEN_AWAY,
                new,
                by=by,
                client=row.episode.client_code,
                therapist=str(new.therapist_id),
            )
            new.delete()
    except ProtectedError:
        return False
    return True


def can_be_undone(made: CaseloadTransfer) -> bool:
    """Whether the page offers it; the action has the last word."""
    open_ones = made.episodes.filter(to__isnull=False, to__closed_on__isnull=True).count()
    return made.undone_at is None and open_ones == made.episodes.count()
