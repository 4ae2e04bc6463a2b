"""The content of a file that waits to be imported: in the database, in pieces, sealed with the site's key.

In the database every worker finds it, and no directory is left with it. Who reads the database, or a backup of it,
and has not the key reads nothing of it.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from alliance import site_keys
from sessions_app.moving_in.csv_file import Chunks, Opener, Unreadable
from sessions_app.moving_in.models import ImportPart, ImportRun

PIECE = 256 * 1024
MOST_BYTES = 64 * 1024 * 1024
_NONCE = 12


@dataclass(frozen=True)
class Measured:
    """What is known of a file when it has been read once."""

    sha256: str
    size: int
    lines: int


def keep(run: ImportRun, pieces: Iterable[bytes]) -> None:
    """Seal and store the content of a run, which must be stored already."""
    key = AESGCM(_key(site_keys.secrets()[0]))
    for number, piece in enumerate(pieces):
        nonce = os.urandom(_NONCE)
        sealed = nonce + key.encrypt(nonce, piece, _bound_to(run, number))
        ImportPart.objects.create(run=run, number=number, sealed=sealed)


def opener(run: ImportRun) -> Opener:
    """The content, as often as it is asked for, one piece in memory at a time. Raises Unreadable while it is read."""
    return lambda: cast(BinaryIO, BufferedReader(Chunks(_pieces(run))))


def remove(run: ImportRun) -> None:
    ImportPart.objects.filter(run=run).delete()


def each_opens() -> Iterator[bool]:
    """Of every file that waits to be imported, whether its beginning opens with the keys of the site."""
    keys = [AESGCM(_key(secret)) for secret in site_keys.secrets()]
    for part in ImportPart.objects.filter(number=0).select_related("run").iterator(chunk_size=10):
        try:
            _opened(keys, bytes(part.sealed), _bound_to(part.run, 0))
        except Unreadable:
            yield False
        else:
            yield True


def measure(opened: Opener) -> Measured:
    sha256, size, lines = hashlib.sha256(), 0, 0
    with opened() as file:
        while piece := file.read(PIECE):
            sha256.update(piece)
            size += len(piece)
            lines += piece.count(b"\n")
    return Measured(sha256.hexdigest(), size, lines)


def _pieces(run: ImportRun) -> Iterator[bytes]:
    keys = [AESGCM(_key(secret)) for secret in site_keys.secrets()]
    number = 0
    # One query a piece: a cursor would be closed by the end of the transaction in which a stream writes.
    while (sealed := _sealed(run, number)) is not None:
        yield _opened(keys, sealed, _bound_to(run, number))
        number += 1
    if number == 0:
        raise Unreadable("There is nothing in this file, or its content was removed. Load it again.")


def _sealed(run: ImportRun, number: int) -> bytes | None:
    found = ImportPart.objects.filter(run=run, number=number).values_list("sealed", flat=True).first()
    return None if found is None else bytes(found)


def _opened(keys: list[AESGCM], sealed: bytes, bound_to: bytes) -> bytes:
    for key in keys:
        try:
            return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
        except InvalidTag:
            continue
    raise Unreadable("This file was sealed with a key that the site no longer has. Load it again.")


def _bound_to(run: ImportRun, number: int) -> bytes:
    """A piece opens in its own place only."""
    return f"{run.code}/{number}".encode()


def _key(secret: str) -> bytes:
    return site_keys.derived(secret, b"session alliance: files to import")
