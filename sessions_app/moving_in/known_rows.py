"""What the database has for one batch of sessions or ratings: read once, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating, TherapySession
from sessions_app.moving_in.models import ImportedNumber
from sessions_app.moving_in.rows import Marks

Of = ImportedNumber.Of


class KnownEpisode(NamedTuple):
    """What a row needs of an episode."""

    pk: int
    client: int
    language: str
    episode: Episode


class KnownSession(NamedTuple):
    pk: int
    episode: int
    held_at: datetime
    attendance: str
    is_voided: bool


@dataclass
class Known:
    """What the database has for one batch."""

    episodes: dict[int, KnownEpisode]
    of_client: dict[str, list[KnownEpisode]]  # by the client's number
    of_number: Mapping[str, int | None]  # {number of an episode: its row}
    numbered: dict[str, KnownSession]  # by the session's number
    sessions: dict[int, list[KnownSession]]  # of each episode, on the days of the batch
    native: frozenset[int]  # sessions with a rating that was given here
    imported: dict[int, Marks]
    awaited: frozenset[int]  # sessions for which a form is out


def read(
    *,
    clients: Iterable[str],
    episodes: Iterable[str],
    sessions: Iterable[str],
    moments: Sequence[datetime],
    now: datetime,
) -> Known:
    """By the numbers that a batch names, and for its days; nine queries."""
    records = _numbers(Of.CLIENT, clients).values_list("number", "client__merged_into_id", "client_id")
    of_client = {number: merged_into or client for number, merged_into, client in records}
    of_number = dict(_numbers(Of.EPISODE, episodes).values_list("number", "episode_id"))
    numbered = dict(_numbers(Of.SESSION, sessions).values_list("number", "session_id"))
    rows = Episode.objects.filter(client__in=set(of_client.values())).select_related("client")
    known = {row.pk: KnownEpisode(row.pk, row.client_id, row.client.language, row) for row in rows}
    more = {pk for pk in of_number.values() if pk is not None} - known.keys()
    by_number = _sessions(pk__in=[pk for pk in numbered.values() if pk])
    more |= {session.episode for session in by_number} - known.keys()
    for row in Episode.objects.filter(pk__in=more).select_related("client"):
        known[row.pk] = KnownEpisode(row.pk, row.client_id, row.client.language, row)
    of_days: list[KnownSession] = []
    if moments:
        # A day more on both sides: a day at the clinic is not one of the universal time.
        first, last = min(moments) - timedelta(days=1), max(moments) + timedelta(days=1)
        of_days = _sessions(episode__in=known.keys(), held_at__range=(first, last))
    theirs = defaultdict(list)
    for episode in known.values():
        theirs[episode.client].append(episode)
    on_days = defaultdict(list)
    for session in of_days:
        on_days[session.episode].append(session)
    native, imported = _ratings({session.pk for session in (*of_days, *by_number)})
    awaited = RatingGrant.objects.awaiting(now).filter(session__in=[one.pk for one in (*of_days, *by_number)])
    by_pk = {session.pk: session for session in by_number}
    return Known(
        known,
        {number: theirs[client] for number, client in of_client.items() if client},
        of_number,
        {number: by_pk[pk] for number, pk in numbered.items() if pk in by_pk},
        on_days,
        native,
        imported,
        frozenset(awaited.values_list("session_id", flat=True)),
    )


def _numbers(kind: str, numbers: Iterable[str]) -> QuerySet[ImportedNumber]:
    return ImportedNumber.objects.filter(kind=kind, number__in=set(numbers) - {""})


def _sessions(**which: object) -> list[KnownSession]:
    """Those that were voided too: imported again they would come back by another way. They stand behind the others."""
    rows = TherapySession.every.filter(**which).order_by("held_at")
    names = ("pk", "episode_id", "held_at", "attendance", "voided_at")
    found = [
        KnownSession(pk, episode, held_at, attendance, voided_at is not None)
        for pk, episode, held_at, attendance, voided_at in rows.values_list(*names)
    ]
    return sorted(found, key=lambda session: session.is_voided)


def _ratings(sessions: Collection[int]) -> tuple[frozenset[int], dict[int, Marks]]:
    """Sessions with a rating given here and none that was imported; {session: the marks it was imported with}.

    What became of imported marks since, as where they were set aside, makes the same file no other one.
    """
    native: set[int] = set()
    imported: dict[int, Marks] = {}
    rows = Rating.objects.filter(session__in=sessions).order_by("pk")
    for session, mode, answers, total in rows.values_list("session_id", "mode", "answers", "total"):
        if mode == Mode.IMPORTED:
            imported.setdefault(session, Marks(answers, total))
        else:
            native.add(session)
    return frozenset(native - imported.keys()), imported


def is_on(session: KnownSession, held_at: datetime, *, has_time: bool) -> bool:
    """Whether it is the session of this moment, or of this day where the file has no time."""
    if has_time:
        return session.held_at == held_at
    return timezone.localdate(session.held_at) == timezone.localdate(held_at)
