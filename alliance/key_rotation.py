"""Seals everything that is stored anew under the newest key, in small pieces, while the site runs.

First the new key becomes SECRET_KEY and the former one goes into SECRET_KEY_FALLBACKS; then this runs; then the former
one may go. A piece that was done stays done, so that it may be stopped at any moment and called again.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import connection, models, transaction

from alliance import site_keys
from alliance.encrypted_field import (
    MARK,
    EncryptedField,
    Unreadable,
    encrypted_fields,
    newest_mark,
    opened,
    sealed,
)
from alliance.rotation_permit import RotationPermit

PIECE = 200  # rows in one transaction: a few hundredths of a second
PASSES = 5  # over a table where other transactions hold rows
WAIT = 1.0  # seconds between them
FACTOR_SECRETS = ("secret", "seed")


@dataclass(frozen=True)
class Counts:
    """How many sealed values there are. older: under a key that the site still has; closed: under one it has not."""

    newest: int = 0
    older: int = 0
    closed: int = 0

    @property
    def total(self) -> int:
        return self.newest + self.older + self.closed

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.newest + other.newest, self.older + other.older, self.closed + other.closed)


def models_with_words() -> list[type[models.Model]]:
    return [row for row in apps.get_models() if encrypted_fields(row)]


def count_words() -> Counts:
    """Over all columns; read from how values begin, nothing is opened."""
    return sum(
        (_count_in(row, one) for row in models_with_words() for one in encrypted_fields(row)), Counts()
    )


def count_second_factors() -> Counts:
    found: Counter[str] = Counter()
    for data in _factors().values_list("data", flat=True).iterator(chunk_size=500):
        found.update(_state_of_factor(data[name]) for name in FACTOR_SECRETS if name in data)
    return Counts(**found)


def rotate_words(row: type[models.Model], piece: int = PIECE) -> Iterator[int]:
    """Seal the words of this table anew; gives how many values each piece held. The rest is in `count_words`."""
    for again in range(PASSES):
        if not sum(_count_in(row, one).older for one in encrypted_fields(row)):
            return
        if again:
            time.sleep(WAIT)  # somebody writes the rows that are left
        after: int | None = 0
        while after is not None:
            after, done = _rotate_piece(row, after, piece)
            yield done


def rotate_second_factors() -> int:
    """How many secrets were sealed anew."""
    done = 0
    for pk in _factors().values_list("pk", flat=True):
        done += _rotate_factor(pk)
    return done


# --- Words ---------------------------------------------------------------------------------------


def _count_in(row: type[models.Model], one: EncryptedField) -> Counts:
    column, table = _quoted(one.column), _quoted(row._meta.db_table)
    held = {f"{MARK}.{site_keys.name_of(secret)}." for secret in site_keys.secrets()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT substr({column}, 1, %s), count(*) FROM {table}"  # noqa: S608 - our own names
            f" WHERE {column} <> '' GROUP BY 1",
            [len(newest_mark())],
        )
        found = dict(cursor.fetchall())
    newest = found.pop(newest_mark(), 0)
    older = sum(count for mark, count in found.items() if mark in held)
    return Counts(newest, older, sum(found.values()) - older)


@transaction.atomic
def _rotate_piece(row: type[models.Model], after: int, piece: int) -> tuple[int | None, int]:
    """(where the next piece begins, how many values were sealed anew). Rows that others hold are passed over."""
    fields = encrypted_fields(row)
    key, table = _quoted(row._meta.pk.column), _quoted(row._meta.db_table)
    columns = [_quoted(one.column) for one in fields]
    begins = f"substr({{}}, 1, {len(newest_mark())}) <> %s"
    is_old = " OR ".join(f"({one} <> '' AND {begins.format(one)})" for one in columns)
    # Never waits for a row while it holds others: so it is part of no deadlock.
    lock = " FOR NO KEY UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    permit = RotationPermit.objects.create()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {', '.join(columns)} FROM {table}"  # noqa: S608 - our own names
            f" WHERE {key} > %s AND ({is_old}) ORDER BY {key} LIMIT {piece}{lock}",
            [after, *[newest_mark()] * len(columns)],
        )
        rows = cursor.fetchall()
        changes = [(pk, *_anew(fields, stored)) for pk, *stored in rows]
        setting = ", ".join(f"{one} = %s" for one in columns)
        cursor.executemany(
            f"UPDATE {table} SET {setting} WHERE {key} = %s",  # noqa: S608 - our own names
            [(*stored, pk) for pk, stored, count in changes if count],
        )
    permit.delete()
    return (rows[-1][0] if len(rows) == piece else None), sum(count for *_, count in changes)


def _anew(fields: list[EncryptedField], stored: list[str | None]) -> tuple[list[str | None], int]:
    """What the row is to hold, and in how many of its columns that differs. What does not open stays."""
    anew = [_sealed_anew(value, one.bound_to) for one, value in zip(fields, stored, strict=True)]
    return anew, sum(a != b for a, b in zip(anew, stored, strict=True))


def _sealed_anew(stored: str | None, bound_to: str) -> str | None:
    if not stored or stored.startswith(newest_mark()):
        return stored
    words = opened(stored, bound_to)
    if isinstance(words, Unreadable):
        return stored
    anew = sealed(words, bound_to)
    # The words are in nobody's hands but ours now: look before the former ones go.
    return anew if opened(anew, bound_to) == words else stored


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(str(name))


# --- Second factors ------------------------------------------------------------------------------


def _factors() -> "models.QuerySet[Any]":
    rows: models.QuerySet[Any] = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
    return rows.order_by("pk")


def _state_of_factor(stored: str) -> str:
    if get_adapter().is_under_newest_key(stored):
        return "newest"
    try:
        get_adapter().decrypt(stored)
    except InvalidToken:
        return "closed"
    return "older"


@transaction.atomic
def _rotate_factor(pk: int) -> int:
    row = _factors().select_for_update().filter(pk=pk).first()
    if row is None:
        return 0  # removed meanwhile
    held = [name for name in FACTOR_SECRETS if name in row.data]
    older = [name for name in held if _state_of_factor(row.data[name]) == "older"]
    for name in older:
        row.data[name] = get_adapter().encrypt(get_adapter().decrypt(row.data[name]))
    if older:
        row.save(update_fields=["data"])
    return len(older)
