"""The writes that put one person's episodes under one record, and take it back: keyword-only, one transaction each.

Locks: the episodes first, by their number, as every write about an episode does; then the records, by theirs.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import ERASED, Gone, Refused
from alliance.stale_forms import Opened, refuse_if_changed
from clients.lock import lock_client, lock_episode, lock_episodes
from clients.merges import UNDO_FOR, can_be_undone, in_the_way, pair_is_open, record_of, records_under
from clients.models import Client, ClientMerge, DifferentClients, Episode, EpisodeMove

CHANGED_MEANWHILE = "What would move has changed since this page was opened. Look at both records again."


@transaction.atomic
def merge_clients(*, kept: Client, merged: Client, seen: Collection[UUID], by: User) -> ClientMerge:
    """Put every episode of `merged` under `kept`. `seen`: the codes of both records' episodes, as they were shown."""
    if kept == merged:
        raise Refused("This is one record. Choose another one to merge it with.")
    kept, merged = _locked(kept.pk, merged.pk)
    for record in (kept, merged):
        if record.merged_into_id:
            raise Refused(
                f"{record} was merged with another record already. Look for the client in the list."
            )
    episodes = list(Episode.objects.filter(client__in=[kept, merged]).select_related("therapist"))
    if {episode.code for episode in episodes} != set(seen):
        raise Refused(CHANGED_MEANWHILE)
    moving = [episode for episode in episodes if episode.client_id == merged.pk]
    if stuck := in_the_way(moving, [episode for episode in episodes if episode.client_id == kept.pk]):
        raise Refused(pair_is_open(stuck[0]))
    merge = ClientMerge.objects.create(kept=kept, merged=merged, merged_by=by)
    _move(moving, merged, kept, by=by, merge=merge)
    _lead_on([merged, *records_under(merged)], kept)
    audit.record(LogEvent.CLIENT_MERGED, merge, by=by, client=merged.code, other=str(kept.code))
    audit.record(LogEvent.RECORD_ADDED, merge, by=by, client=kept.code, other=str(merged.code))
    return merge


@transaction.atomic
def undo_merge(*, merge: ClientMerge, by: User) -> ClientMerge:
    """Put back exactly the episodes that moved. Those that were opened since stay with the record that was kept."""
    moves = list(EpisodeMove.objects.filter(merge=merge).select_related("episode"))
    kept, merged = _locked(merge.kept_id, merge.merged_id, [move.episode_id for move in moves])
    merge = ClientMerge.objects.select_for_update().get(pk=merge.pk)
    if merge.undone_at:
        raise Refused("This merge was undone already.")
    _refuse_if_late(merge)
    if kept.merged_into_id:
        raise Refused(f"{kept} was itself merged with another record since. Undo that merge first.")
    episodes = list(Episode.objects.filter(moves__in=moves).select_related("client", "therapist"))
    for episode in episodes:
        if episode.client_id != kept.pk:
            raise Refused(
                f"The episode with {episode.therapist} was moved to {episode.client} since. Move it back first."
            )
    now = timezone.now()
    Episode.objects.filter(pk__in=[episode.pk for episode in episodes]).update(client=merged)
    EpisodeMove.objects.filter(merge=merge).update(undone_at=now, undone_by=by)
    merge.undone_at, merge.undone_by = now, by
    merge.save(update_fields=["undone_at", "undone_by"])
    _lead_on([merged], None)
    _lead_on(records_under(merged), merged)
    audit.record(LogEvent.CLIENT_MERGE_UNDONE, merge, by=by, client=merged.code, other=str(kept.code))
    audit.record(LogEvent.RECORD_TAKEN_OUT, merge, by=by, client=kept.code, other=str(merged.code))
    return merge


@transaction.atomic
def move_episode(
    *, episode: Episode, to: Client, why: str, by: User, opened_with: Opened | None = None
) -> EpisodeMove:
    """Put one episode under the record it belongs to."""
    source, to = _locked(episode.client_id, to.pk, [episode.pk])
    stored = lock_episode(episode.pk)
    if stored.client_id != source.pk:
        raise Refused("This episode was moved meanwhile. Look at it again.")
    refuse_if_changed(opened_with, record_of(stored))
    if source == to:
        raise Refused(f"This episode is under {to} already. Choose another record.")
    if to.merged_into_id:
        raise Refused(f"{to} was merged with another record. Choose that one.")
    if not source.episodes.exclude(pk=stored.pk).exists():
        raise Refused(f"This is the only episode of {source}. Merge the two records instead.")
    if in_the_way([stored], to.episodes.all()):
        raise Refused(pair_is_open(stored))
    (move,) = _move([stored], source, to, by=by, why=why)
    _log_move(move, source, to, by)
    return move


@transaction.atomic
def undo_move(*, move: EpisodeMove, by: User) -> EpisodeMove:
    source, to = _locked(move.from_client_id, move.to_client_id, [move.episode_id])
    episode = lock_episode(move.episode_id)
    move = EpisodeMove.objects.select_for_update().get(pk=move.pk)
    if move.merge_id:
        raise Refused("This episode moved with a merge. Undo the merge.")
    if move.undone_at:
        raise Refused("This episode was moved back already.")
    _refuse_if_late(move)
    if episode.client_id != to.pk:
        raise Refused("This episode was moved on since. Undo that first.")
    if source.merged_into_id:
        raise Refused(f"{source} was merged with another record since. Undo that merge first.")
    if in_the_way([episode], source.episodes.all()):
        raise Refused(pair_is_open(episode))
    Episode.objects.filter(pk=episode.pk).update(client=source)
    move.undone_at, move.undone_by = timezone.now(), by
    move.save(update_fields=["undone_at", "undone_by"])
    _log_move(move, to, source, by)
    return move


@transaction.atomic
def tell_apart(*, one: Client, other: Client, by: User) -> DifferentClients:
    """These two records are of two people: they are no longer shown as possible duplicates."""
    if one == other:
        raise Refused("This is one record. Choose another one.")
    first, second = (lock_client(client) for client in sorted((one, other), key=lambda client: client.pk))
    told, is_new = DifferentClients.objects.get_or_create(
        first=first, second=second, defaults={"noted_by": by}
    )
    if is_new:
        audit.record(LogEvent.CLIENTS_TOLD_APART, told, by=by, client=first.code, other=str(second.code))
    return told


@transaction.atomic
def undo_telling_apart(*, told: DifferentClients, by: User) -> None:
    """Pressed twice, it is undone once."""
    deleted, _ = DifferentClients.objects.filter(pk=told.pk).delete()
    if deleted:
        one, other = told.first.code, told.second.code
        audit.record(LogEvent.TELLING_APART_UNDONE, told, by=by, client=one, other=str(other))


def _locked(one: int, other: int, more: Collection[int] = ()) -> tuple[Client, Client]:
    """Both records as they are now, held with all their episodes (and `more`) until the end of the transaction."""
    pks = [one, other]
    lock_episodes({*Episode.objects.filter(client__in=pks).values_list("pk", flat=True), *more})
    stored = {row.pk: row for row in Client.objects.select_for_update().filter(pk__in=pks).order_by("pk")}
    if not stored.keys() >= {*pks}:
        raise Gone(ERASED)
    return stored[one], stored[other]


def _refuse_if_late(row: ClientMerge | EpisodeMove) -> None:
    if not can_be_undone(row):
        raise Refused(
            f"This is more than {UNDO_FOR.days} days ago and is not undone any more. Move single episodes instead."
        )


def _move(
    episodes: list[Episode],
    source: Client,
    to: Client,
    *,
    by: User,
    merge: ClientMerge | None = None,
    why: str = "",
) -> list[EpisodeMove]:
    Episode.objects.filter(pk__in=[episode.pk for episode in episodes]).update(client=to)
    return EpisodeMove.objects.bulk_create(
        EpisodeMove(episode=one, from_client=source, to_client=to, merge=merge, why=why, moved_by=by)
        for one in episodes
    )


def _lead_on(records: Collection[Client], to: Client | None) -> None:
    """Where somebody who looks for one of these records is led: always to the end of a chain of merges."""
    Client.objects.filter(pk__in=[record.pk for record in records]).update(merged_into=to)


def _log_move(move: EpisodeMove, source: Client, to: Client, by: User) -> None:
    """In the log of both records."""
    audit.record(LogEvent.EPISODE_MOVED_IN, move, by=by, client=to.code, other=str(source.code))
    audit.record(LogEvent.EPISODE_MOVED_OUT, move, by=by, client=source.code, other=str(to.code))
