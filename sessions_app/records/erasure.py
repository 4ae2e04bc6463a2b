"""What an erasure takes away, made from the table of all fields: counted first, then deleted.

Nothing here asks whether it may: `erasure_actions` does, and holds the locks.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from alliance import device_lock
from alliance.erasures import Erasure, ErasurePermit
from alliance.log_by_client import NamesAny
from alliance.models import AuditEvent, BrowserSession
from alliance.session_store import SessionStore
from clients.models import Client, Episode
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.tokens import hash_of_token
from sessions_app.flags import standing
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.groups import group_actions
from sessions_app.moving_in import import_actions
from sessions_app.records import foreign_marks
from sessions_app.records.field_kinds import Table
from sessions_app.records.field_table import going_with_the_client
from sessions_app.supervision import agenda_actions

# What an administrator may be told apart. The rest is one number: how many flags there are says what was found.
TOLD_APART = {
    "clients.Episode": "episodes",
    "sessions_app.TherapySession": "sessions",
    "sessions_app.RatingGrant": "forms",
    "sessions_app.Rating": "ratings",
    "sessions_app.SetAsideRating": "ratings",
}
THE_REST = "notes and conclusions"
NOT_COUNTED = {"clients.Client"}
MESSAGES = "_messages"

outside = logging.getLogger("alliance.erasures")


def whole(client: Client) -> QuerySet[Client]:
    """The records of this person, those that were merged into it too: what is erased as one."""
    return Client.objects.filter(Q(pk=client.pk) | Q(merged_into=client.pk))


def rows_of(table: Table, clients: Collection[int]) -> "QuerySet[Any]":
    ways = Q()
    for way in table.about:
        ways |= Q(**{f"{way}__in": clients})
    return table.rows().filter(ways).order_by()


@dataclass(frozen=True)
class Preview:
    """How much would go, and how many lines of the access log stay with a code that nothing leads back from."""

    goes: Mapping[str, int]
    open_episodes: int
    log_lines: int


def preview(client: Client) -> Preview:
    pks, codes = _keys(client)
    counted = {table.model: rows_of(table, pks).count() for table in going_with_the_client()}
    return Preview(
        told(counted),
        Episode.objects.open().filter(client__in=pks).count(),
        AuditEvent.objects.filter(NamesAny(codes)).count(),
    )


def told(counted: Mapping[str, int]) -> dict[str, int]:
    """{model: rows} in the kinds that an administrator is told."""
    found = dict.fromkeys([*dict.fromkeys(TOLD_APART.values()), THE_REST], 0)
    for model, rows in counted.items():
        if model not in NOT_COUNTED:
            found[TOLD_APART.get(model, THE_REST)] += rows
    return found


def episodes_to_lock(client: Client) -> list[int]:
    """Those of the client, and those in which marks of the client came in under another name."""
    pks, _ = _keys(client)
    own = Episode.objects.filter(client__in=pks).order_by().values_list("pk", flat=True)
    return sorted({*own, *foreign_marks.copies_elsewhere(pks).episodes()})


def delete(client: Client, erasure: Erasure) -> dict[str, int]:
    """Take every row of the client away, and what leads to them elsewhere; how many rows of each kind went."""
    pks, codes = _keys(client)
    labels = list(Client.objects.filter(pk__in=pks).values_list("label", flat=True))
    grants = RatingGrant.every.filter(session__episode__client__in=pks)
    erasure.also = sorted(code.hex for code in codes if code != client.code)
    tokens = dict(grants.values_list("token_hash", "code"))
    ErasedGrant.objects.bulk_create(
        (ErasedGrant(code=code, erasure=erasure) for code in tokens.values()), ignore_conflicts=True
    )
    _take_out_of_the_counts(pks)
    counted = {}
    permit = ErasurePermit.objects.create(erasure=erasure)
    foreign_marks.empty(foreign_marks.copies_elsewhere(pks), pks)
    for table in going_with_the_client():
        # Past the collector of Django: rows that protect each other all go, and the database checks at the end.
        rows = rows_of(table, pks)
        counted[table.model] = rows._raw_delete(rows.db)
    permit.delete()
    import_actions.forget(labels)
    agenda_actions.forget(labels)
    group_actions.forget(labels)
    _clean_browser_sessions([*labels, *(str(code) for code in codes)], tokens.keys())
    return told(counted)


def _keys(client: Client) -> tuple[list[int], list[UUID]]:
    rows = list(whole(client).values_list("pk", "code"))
    return [pk for pk, _ in rows], [code for _, code in rows]


def _take_out_of_the_counts(clients: Collection[int]) -> None:
    """The counts of therapists are sums over what is there: else the difference would tell of the client."""
    changes: dict[tuple[UUID, str], list[int]] = defaultdict(list)
    rows = EpisodeStanding.objects.filter(episode__client__in=clients)
    for therapist, process in rows.values_list("episode__therapist", "process"):
        for day, counted in process.items():
            before = changes[therapist, day] or [0] * len(counted)
            changes[therapist, day] = [a - b for a, b in zip(before, counted, strict=True)]
    if changes:
        standing.add_to_days(changes)


# --- What browsers left with the server ----------------------------------------------------------


def _clean_browser_sessions(words: Collection[str], tokens: Collection[str]) -> None:
    """Take out messages that nobody has read yet and that name the client; a device that holds a form is finished."""
    store = SessionStore()
    for row in BrowserSession.objects.order_by().iterator(500):
        held = store.decode(row.session_data)
        if _cleaned(held, words, tokens):
            data = store.encode(held)
            BrowserSession.objects.filter(pk=row.pk).update(session_data=data)


def _cleaned(held: dict[str, Any], words: Collection[str], tokens: Collection[str]) -> bool:
    """Whether there was anything to take out."""
    finished = device_lock.finish_if(held, lambda token: hash_of_token(token) in tokens)
    messages = json.dumps(held.get(MESSAGES), ensure_ascii=False)
    named = any(json.dumps(word, ensure_ascii=False)[1:-1] in messages for word in words)
    if named:
        del held[MESSAGES]
    return finished or named


def forget_in_files() -> None:
    """After the erasure is stored: what SQLite keeps of earlier pages beside its file goes too."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (is_busy, *_) = cursor.fetchone()
    if is_busy:
        outside.warning("Somebody reads the database: the file beside it (-wal) still holds what was erased.")


# --- The list that outlives a backup -------------------------------------------------------------


def as_line(erasure: Erasure) -> str:
    """One confirmed erasure as a line that `manage.py replay_erasures` reads."""
    grants = erasure.grants.order_by().values_list("code", flat=True)
    return json.dumps(
        {
            "erased": str(erasure.client),
            "code": str(erasure.code),
            "reason": erasure.reason,
            "asked": [erasure.asked_at.isoformat(), str(erasure.asked_by)],
            "confirmed": [
                erasure.confirmed_at and erasure.confirmed_at.isoformat(),
                str(erasure.confirmed_by),
            ],
            "also": erasure.also,
            "grants": [code.hex for code in grants],
        }
    )


def lines(erasures: Iterable[Erasure]) -> Iterable[str]:
    return (as_line(erasure) + "\n" for erasure in erasures)
