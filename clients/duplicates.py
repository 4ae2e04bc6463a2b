"""Which records may be of one person: their labels read alike. For the administrator, without anything clinical."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations, groupby, islice
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from alliance.prepared import PreparedValues
from clients.merges import with_episodes
from clients.models import Client, DifferentClients, Episode

# Labels that hundreds of records share, as "A. B.", make more pairs than anybody looks through.
MOST = 200


@dataclass(frozen=True)
class Pair:
    """Two records whose labels read alike. `same`: they differ in case, accents or keyboard at most."""

    one: Client
    other: Client

    @property
    def same(self) -> bool:
        return bool(self.one.label_key == self.other.label_key)


def possible_duplicates() -> list[Pair]:
    """The pairs that nobody has told apart yet, in the order of the labels; `MOST` of them at most."""
    pks = list(islice(_pairs(), MOST))
    rows = with_episodes(Client.objects.filter(pk__in={pk for pair in pks for pk in pair}))
    clients = {client.pk: client for client in rows}
    return [Pair(clients[one], clients[other]) for one, other in pks]


def how_many() -> int:
    """How many pairs there are, `MOST` at most: for the hint that there are some."""
    return sum(1 for _ in islice(_pairs(), MOST))


def alike(client: Client) -> QuerySet[Client]:
    """The other records whose label reads like this one's."""
    of_same = Q(label_key=client.label_key) | Q(label_look=client.label_look)
    return listed().filter(of_same).exclude(pk=client.pk)


def listed() -> QuerySet[Client]:
    """The records that stand in lists: one that was merged has no episode."""
    return Client.objects.filter(Exists(Episode.objects.filter(client=OuterRef("pk"))), merged_into=None)


def _pairs() -> Iterator[tuple[int, int]]:
    told_apart = set(DifferentClients.objects.values_list("first", "second"))
    for pair in _pairs_alike():
        if pair not in told_apart:
            told_apart.add(pair)  # by both keys it comes twice
            yield pair


def _written_sharing(key: str) -> QuerySet[Client, tuple[Any, ...]]:
    """(key, record) of the records that share their key with another, by the key."""
    shared = (
        listed().order_by().values(key).annotate(many=Count("pk")).filter(many__gt=1).exclude(**{key: ""})
    )
    rows = listed().filter(**{f"{key}__in": shared.values(key)}).order_by(key, "pk")
    return rows.values_list(key, "pk")


_SHARING = tuple(PreparedValues(partial(_written_sharing, key)) for key in ("label_key", "label_look"))


def _pairs_alike() -> Iterator[tuple[int, int]]:
    for sharing in _SHARING:
        for _, of_key in groupby(sharing.rows(), key=lambda row: row[0]):
            yield from combinations([pk for _, pk in of_key], 2)
