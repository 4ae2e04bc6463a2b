"""The file of a backup: a tar of the manifest, the database in parts, and a digest; encrypted as a whole with age.

A tar and age, so that it can be opened without this program:

    age --decrypt --identity key.txt backup.tar.age | tar --extract
    cat database/* > database.dump          # for pg_restore; of SQLite: database.sqlite3.gz

Parts, because tar wants to know how long a member is, and nobody knows that of a dump under way: so no more than one
part is in memory, however large the clinic is.
"""

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyrage

from alliance.operations.backup_keys import FIRST_BYTES_OF_AGE
from alliance.operations.failed import Failed

PART = 8 * 1024 * 1024
MANIFEST, END, PARTS = "manifest.json", "end.json", "database/{:06}"
# Of one member before its end is believed: a manifest has some kilobytes.
LARGEST_MANIFEST = 16 * 1024 * 1024
CUT_SHORT = "This file is cut short or damaged: nothing was taken from it. Use another backup."
NOT_OURS = "This file is not a backup that manage.py backup made."


class Damaged(Failed):
    """It is a backup, and not whole."""


def write(
    file: IO[bytes], manifest: dict[str, Any], content: Iterable[bytes], recipients: Sequence[Any]
) -> None:
    """Write the whole backup; without recipients, in clear. What `content` raises comes out as it is."""
    reading = _Reader(_tar(manifest, content))
    if not recipients:
        while some := reading.read(PART):
            file.write(some)
        return
    writing = _Writer(file)
    try:
        pyrage.encrypt_io(reading, writing, list(recipients))
    except pyrage.EncryptError as error:
        # pyrage keeps the text of what went wrong on either side, and not the error.
        raise reading.error or writing.error or Failed(f"The encryption failed: {error}.") from error


class Opened:
    """A backup that is read once, from the front."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.manifest: dict[str, Any] = json.loads(self._member(MANIFEST))
        self.complete = False

    def content(self) -> Iterator[bytes]:
        """The database; it is whole only where this came to its end."""
        digest, size = hashlib.sha256(), 0
        while (member := self._tar.next()) is not None:
            self._tar.members.clear()  # type: ignore[attr-defined] # else it remembers every part
            found: Any = self._tar.extractfile(member)
            if found is None:
                raise Failed(NOT_OURS)
            if member.name == END:
                end = json.loads(found.read(LARGEST_MANIFEST))
                if (end["sha256"], end["size"]) != (digest.hexdigest(), size):
                    raise Damaged(CUT_SHORT)
                self.complete = True
                continue
            while some := found.read(1024 * 1024):
                digest.update(some)
                size += len(some)
                yield some
        if not self.complete:
            raise Damaged(CUT_SHORT)

    def _member(self, name: str) -> bytes:
        member = self._tar.next()
        found = self._tar.extractfile(member) if member is not None and member.name == name else None
        if found is None or member is None or member.size > LARGEST_MANIFEST:
            raise Failed(NOT_OURS)
        return found.read()


@contextmanager
def opened(path: Path, identities: Sequence[Any]) -> Iterator[Opened]:
    """Open a backup. Raises `Failed` where it is damaged, or none of the `identities` opens it."""
    try:
        with (
            path.open("rb") as file,
            _in_clear(file, path, identities) as clear,
            _as_sentences(),
            tarfile.open(fileobj=clear, mode="r|") as tar,
        ):
            found = Opened(tar)
            yield found
            while found.complete and clear.read(PART):  # what follows; age finds that its own end is missing
                pass
    except OSError as error:
        if error.filename is None:
            raise
        raise Failed(f"{path} cannot be read: {error.strerror}.") from error


def manifest_of(path: Path, identities: Sequence[Any]) -> dict[str, Any]:
    """Read from the front of the file: that all of it is there is not known by that."""
    with opened(path, identities) as backup:
        return backup.manifest


def is_encrypted(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(FIRST_BYTES_OF_AGE)) == FIRST_BYTES_OF_AGE


@contextmanager
def _as_sentences() -> Iterator[None]:
    try:
        yield
    except tarfile.ReadError as error:
        raise Damaged(CUT_SHORT) from error
    except (ValueError, KeyError, tarfile.TarError) as error:
        raise Failed(NOT_OURS) from error


@contextmanager
def _in_clear(file: IO[bytes], path: Path, identities: Sequence[Any]) -> Iterator[IO[bytes]]:
    """What age encrypted comes through a pipe, from a thread: pyrage pushes, and tar pulls."""
    begins = file.read(len(FIRST_BYTES_OF_AGE))
    file.seek(0)
    if begins.startswith(MANIFEST.encode()):
        yield file
        return
    if begins != FIRST_BYTES_OF_AGE:
        raise Failed(NOT_OURS)
    if not identities:
        raise Failed(f"{path.name} is encrypted: name the file with the private key, --identity KEYFILE.")
    out, into = os.pipe()
    decrypting = _Decrypting(file, into, identities)
    decrypting.start()
    reading = os.fdopen(out, "rb")
    try:
        yield reading
    except Failed as failed:
        reading.close()  # a thread that still writes ends here
        decrypting.join()
        raise decrypting.failed or failed from failed
    finally:
        reading.close()
        decrypting.join()
    if decrypting.failed:
        raise decrypting.failed


class _Decrypting(threading.Thread):
    def __init__(self, file: IO[bytes], into: int, identities: Sequence[Any]) -> None:
        super().__init__(name="decrypting", daemon=True)
        self._file, self._into, self._identities = file, into, list(identities)
        self.failed: Failed | None = None

    def run(self) -> None:
        pipe = os.fdopen(self._into, "wb", buffering=0)
        writing = _Writer(pipe)
        try:
            pyrage.decrypt_io(self._file, writing, self._identities)
        except (pyrage.DecryptError, OSError) as error:
            # Where the reader went away first, it has said why.
            if not writing.error:
                wrong = "No matching keys" in str(error)
                self.failed = Failed("This key does not open this backup.") if wrong else Damaged(CUT_SHORT)
        finally:
            pipe.close()


class _Reader:
    """Bytes as a file to read from; `error` is what the source raised."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._left = source, b""
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._left:
                self._left = next(self._source)
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        some, self._left = self._left[:size], self._left[size:]
        return some


class _Writer:
    """A file to write to; `error` is what writing raised."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, some: bytes) -> int:
        try:
            return self._file.write(some)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self.error = error
            raise


def _tar(manifest: dict[str, Any], content: Iterable[bytes]) -> Iterator[bytes]:
    yield from _member(MANIFEST, _as_json(manifest))
    digest, size, number, part = hashlib.sha256(), 0, 0, io.BytesIO()
    for some in content:
        digest.update(some)
        size += len(some)
        part.write(some)
        if part.tell() >= PART:
            number += 1
            yield from _member(PARTS.format(number), part.getvalue())
            part = io.BytesIO()
    if part.tell():
        yield from _member(PARTS.format(number + 1), part.getvalue())
    yield from _member(END, _as_json({"size": size, "sha256": digest.hexdigest()}))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, content: bytes) -> Iterator[bytes]:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o600
    yield about.tobuf()
    if content:
        yield content
    if left := len(content) % tarfile.BLOCKSIZE:
        yield bytes(tarfile.BLOCKSIZE - left)


def _as_json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"
