"""Which records belong together since they were merged, and what a merge or a move would do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from clients.models import Client, ClientMerge, Episode, EpisodeMove

UNDO_FOR = timedelta(days=30)


def codes_of_records(clients: QuerySet[Client]) -> frozenset[UUID]:
    """The codes of these clients, and of every record that was merged into theirs or that theirs was merged into."""
    stays = clients.values("pk"), clients.exclude(merged_into=None).values("merged_into")
    whole = (
        Q(pk__in=stays[0]) | Q(pk__in=stays[1]) | Q(merged_into__in=stays[0]) | Q(merged_into__in=stays[1])
    )
    return frozenset(Client.objects.filter(whole).order_by().values_list("code", flat=True))


def records_under(client: Client) -> list[Client]:
    """The records that stand in `client` through merges of their own, merges into those included."""
    found: list[Client] = []
    merges = ClientMerge.objects.standing().select_related("merged")
    above = [client.pk]
    while above:
        rows = [merge.merged for merge in merges.filter(kept__in=above)]
        found += rows
        above = [row.pk for row in rows]
    return found


def with_episodes(rows: QuerySet[Client]) -> QuerySet[Client]:
    """The clients with all their episodes as `client.all_episodes`, the open ones first."""
    newest_first = (F("closed_on").desc(nulls_first=True), "-opened_on", "pk")
    episodes = Episode.objects.select_related("therapist").order_by(*newest_first)
    return rows.prefetch_related(Prefetch("episodes", episodes, to_attr="all_episodes"))


def episodes_of(record: Client) -> list[Episode]:
    """The episodes of a record that was read with them."""
    return record.all_episodes  # type: ignore[attr-defined,no-any-return]


def record_of(episode: Episode) -> dict[str, str]:
    """What the page says from which an episode is moved: two records of one person may have one label."""
    client = episode.client
    return {
        "Record": f"{client}, registered on {timezone.localtime(client.registered_at):%-d %B %Y, %H:%M:%S}"
    }


def in_the_way(moving: Iterable[Episode], staying: Iterable[Episode]) -> list[Episode]:
    """The open episodes among `moving` whose therapist has an open one among `staying`: a pair has only one."""
    taken = {episode.therapist_id for episode in staying if episode.is_open}
    return [episode for episode in moving if episode.is_open and episode.therapist_id in taken]


def pair_is_open(episode: Episode) -> str:
    """The sentence of a refusal: both records have an open episode with this therapist."""
    return (
        f"Both records have an open episode with {episode.therapist}, and a pair can only have one."
        " Close one of the two first, or transfer it."
    )


def undo_until(at: datetime) -> datetime:
    return at + UNDO_FOR


def can_be_undone(row: ClientMerge | EpisodeMove) -> bool:
    at = row.merged_at if isinstance(row, ClientMerge) else row.moved_at
    return row.undone_at is None and timezone.now() <= undo_until(at)


@dataclass(frozen=True)
class Changes:
    """What was put under a record from another one and can still be taken back."""

    merges: list[ClientMerge]
    moves: list[EpisodeMove]

    def __bool__(self) -> bool:
        return bool(self.merges or self.moves)


def changes_of(client: Client) -> Changes:
    since = timezone.now() - UNDO_FOR
    merges = ClientMerge.objects.standing().filter(kept=client, merged_at__gte=since)
    moves = EpisodeMove.objects.standing().filter(to_client=client, merge=None, moved_at__gte=since)
    return Changes(
        list(merges.select_related("merged", "merged_by")),
        list(moves.select_related("from_client", "episode__therapist", "moved_by")),
    )
