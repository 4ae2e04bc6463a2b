"""The keys of backups: public ones, to which they are encrypted, and the private ones that open them (age)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyrage
from django.conf import settings

from alliance.operations.failed import Failed

FIRST_BYTES_OF_AGE = b"age-encryption.org/"
# What is not in the database and without which a restored one is of less use. None of it is in a backup.
KEY_SETTINGS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS")


def recipients(named: Iterable[str]) -> list[Any]:
    """The public keys, age's own (age1...) or of SSH."""
    return [_recipient(name) for name in named]


def identities(path: Path) -> list[Any]:
    """The private keys in a file, as age-keygen or ssh-keygen write it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failed(f"The key {path} cannot be read: {error.strerror}.") from error
    try:
        if b"PRIVATE KEY-----" in content:
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode().splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise Failed(
            f"{path} holds no private key of age: a line in it has to begin with AGE-SECRET-KEY-1."
        ) from error
    if not found:
        raise Failed(f"{path} holds no private key of age.")
    return found


def one_for_the_moment() -> tuple[Any, Any]:
    """A private key that nobody keeps, and its public one: a backup can be read again by the process that made it."""
    private = pyrage.x25519.Identity.generate()
    return private, private.to_public()


def sealed(content: bytes, recipients: Sequence[Any]) -> bytes:
    """A short text encrypted to these keys; as it is where there are none."""
    return bytes(pyrage.encrypt(content, list(recipients))) if recipients else content


def unsealed(content: bytes, identities: Sequence[Any]) -> bytes:
    if not content.startswith(FIRST_BYTES_OF_AGE):
        return content
    try:
        opened: bytes = pyrage.decrypt(content, list(identities))
    except pyrage.DecryptError as error:
        raise Failed("This key does not open the list of erasures.") from error
    return opened


def key_material() -> str:
    """The secrets of this site as lines of .env. The present value, not the file: it may come from elsewhere."""
    lines = []
    for name in KEY_SETTINGS:
        value = getattr(settings, name, "") or ""
        lines.append(f"{name}={','.join(value) if isinstance(value, (list, tuple)) else value}")
    return "\n".join(lines) + "\n"


def _recipient(name: str) -> Any:
    try:
        if name.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(name)
        return pyrage.x25519.Recipient.from_str(name)
    except pyrage.RecipientError as error:
        raise Failed(
            f"BACKUP_RECIPIENTS: {name[:12]}... is no public key of age. One begins with age1; "
            "manage.py backup_keys --new makes one with its private key."
        ) from error
