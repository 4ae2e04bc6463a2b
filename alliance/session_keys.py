"""How the key of a browser's session is stored: as a hash, so that whoever reads the database is signed in nowhere.

The browser's cookie has the key; a row that belongs to a session has its hash. A plain SHA-256, as of every other
long random key here: what is drawn from 165 bits is not guessed, and no key of the site need be kept for it, so that
another SECRET_KEY signs nobody out (docs/adr/0069).
"""

import base64
import hashlib
from typing import Any

from django.db import models

# 240 of 256 bits: as many as go into the 40 characters that Django and allauth have for a key.
_BYTES = 30


class StoredKey(str):
    """The key of a session as a row has it. A text that came from a browser never is one, whatever it says."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, stored_key(other)) if isinstance(other, str) else NotImplemented

    __hash__ = str.__hash__


def stored_key(key: str) -> StoredKey:
    """What a row has for the key of a cookie; of a stored key, itself."""
    if isinstance(key, StoredKey):
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return StoredKey(base64.urlsafe_b64encode(digest[:_BYTES]).decode())


class SessionKeyField(models.CharField):  # type: ignore[type-arg]
    """A column with the key of a session. It is asked for by the cookie's key, or by one that came from a row."""

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else str(stored_key(value))

    def from_db_value(self, value: Any, *args: object) -> Any:
        return value if value is None else StoredKey(value)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """To a migration it is the column that it is: allauth's table has its migrations from allauth."""
        name, _, args, named = super().deconstruct()
        return name, "django.db.models.CharField", args, named


def keep_hashed(row: type[models.Model]) -> None:
    """Let the column `session_key` of a table of somebody else's be such a column."""
    row._meta.get_field("session_key").__class__ = SessionKeyField
