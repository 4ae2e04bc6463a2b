"""Fields for free words about people: the database, its backups and its logs hold them sealed (docs/adr/0072).

Who reads the database without SECRET_KEY reads none of them. "" and null stay as they are, so that a constraint can
still say that words are there. A value is sealed for its table and column, and opens in no other: move words by
reading and writing them, never by F() or SQL. They are opened when somebody reads them, not when their row is fetched.

AES-GCM and not Fernet: a third of the time (23 against 66 microseconds to open 200 letters on one busy core), and
nothing in it says when it was sealed.
"""

import os
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Exact, IsNull
from django.db.models.query_utils import DeferredAttribute

from alliance import site_keys
from alliance.refused import Refused
from alliance.sealing import as_bytes, as_text

MARK = "enc1"  # which way of sealing: another one gets another mark
KEY_IS_MISSING = "These words cannot be read: the key of the site is missing."
IS_DAMAGED = "These words cannot be read: what is stored is not what this site wrote here."
_STAY = "So they cannot be changed or copied now; they stay as they are."
_NONCE = 12
_LOOKUPS = (
    "{} is stored sealed: the database can say whether it is empty or null, and nothing else about it. "
    "Fetch the rows and compare in Python."
)


class Unreadable(str):
    """Stands for words that cannot be opened, and says so on every page. Saved again, what is stored stays.

    No two are equal: of what nobody can read nobody knows that it is the same, and answers of two caregivers are
    never pooled.
    """

    stored: str
    bound_to: str

    def __new__(cls, sentence: str, stored: str, bound_to: str) -> "Unreadable":
        made = super().__new__(cls, sentence)
        made.stored, made.bound_to = stored, bound_to
        return made

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Unreadable):
            return (self.stored, self.bound_to) == (other.stored, other.bound_to)
        return str.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __getnewargs__(self) -> Any:
        return str(self), self.stored, self.bound_to


class Sealed:
    """Words as `values_list` finds them: opened where somebody makes text of them or compares them.

    They are never empty, so that asking whether there are any opens nothing.
    """

    __slots__ = ("bound_to", "stored")

    def __init__(self, stored: str, bound_to: str) -> None:
        self.stored, self.bound_to = stored, bound_to

    def opened(self) -> str:
        return opened(self.stored, self.bound_to)

    def __str__(self) -> str:
        return str(self.opened())

    def __eq__(self, other: object) -> bool:
        return str(self) == (str(other) if isinstance(other, Sealed) else other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return "<sealed words>"  # nothing for a traceback


def sealed(words: str, bound_to: str) -> str:
    """What the database holds of `words` that are not empty, under the newest key."""
    nonce = os.urandom(_NONCE)
    content = nonce + _cipher(site_keys.secrets()[0], bound_to).encrypt(nonce, words.encode(), None)
    return f"{newest_mark()}{as_text(content)}"


def opened(stored: str, bound_to: str) -> str:
    """The words; `Unreadable` where no key of the site opens them here."""
    mark, _, rest = stored.partition(".")
    name, _, content = rest.partition(".")
    if mark == MARK:
        for secret in site_keys.secrets():
            if site_keys.name_of(secret) == name:
                return _opened_with(secret, content, stored, bound_to)
        return Unreadable(KEY_IS_MISSING, stored, bound_to)
    return Unreadable(IS_DAMAGED, stored, bound_to)


def newest_mark() -> str:
    """How everything begins that is sealed with the newest key."""
    return f"{MARK}.{site_keys.name_of(site_keys.secrets()[0])}."


def _opened_with(secret: str, content: str, stored: str, bound_to: str) -> str:
    try:
        found = as_bytes(content)
        return _cipher(secret, bound_to).decrypt(found[:_NONCE], found[_NONCE:], None).decode()
    except (InvalidTag, ValueError):
        return Unreadable(IS_DAMAGED, stored, bound_to)


@lru_cache(maxsize=512)
def _cipher(secret: str, bound_to: str) -> AESGCM:
    # A key for each column keeps far below the number of random nonces that one key of AES-GCM can bear (2^32).
    return AESGCM(site_keys.derived(secret, f"session alliance: words at rest: {bound_to}".encode()))


# --- The fields ----------------------------------------------------------------------------------


class _OnlyEmpty(Exact):
    """Equal to "" and nothing else."""

    def get_prep_lookup(self) -> Any:
        if self.rhs != "":
            raise FieldError(_LOOKUPS.format(getattr(self.lhs.output_field, "name", "This")))
        return ""


class _OpenedWhenRead(DeferredAttribute):
    """The attribute of a row: opens what was fetched when it is read first."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = value.opened()
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.Field):  # type: ignore[type-arg]
    """What both fields share. max_length: of the words; the column itself has no limit.

    bound_to: the table and column for which words are sealed. State the former ones where either is renamed.
    """

    descriptor_class = _OpenedWhenRead
    db_index: bool

    def __init__(self, *arguments: Any, bound_to: str = "", **options: Any) -> None:
        self._bound_to = bound_to
        super().__init__(*arguments, **options)

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        return name, path, arguments, {**options, **({"bound_to": self._bound_to} if self._bound_to else {})}

    def get_internal_type(self) -> str:
        return "TextField"

    @property
    def bound_to(self) -> str:
        return self._bound_to or f"{self.model._meta.db_table}.{self.column}"

    def check(self, **options: Any) -> list[checks.CheckMessage]:
        found: list[checks.CheckMessage] = super().check(**options)
        meta = self.model._meta
        keys = [name for one in [*meta.indexes, *meta.constraints] for name in getattr(one, "fields", ())]
        ordering = [str(name).removeprefix("-") for name in meta.ordering or ()]
        if self.unique or self.db_index or self.name in {*keys, *ordering}:
            found.append(checks.Error("Sealed words have no order and no key.", obj=self, id="alliance.E001"))
        return found

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        fetched = model_instance.__dict__.get(self.attname)
        # What nobody looked at is written back as it is.
        return fetched if isinstance(fetched, Sealed) else super().pre_save(model_instance, add)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return Sealed(value, self.bound_to) if value else value

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if isinstance(value, Sealed):
            value = value if value.bound_to == self.bound_to else value.opened()
        if isinstance(value, Sealed | Unreadable):
            if value.bound_to != self.bound_to:
                raise Refused(f"{value} {_STAY}")
            return value.stored
        words = super().get_db_prep_value(value, connection, prepared)
        return sealed(words, self.bound_to) if words else words

    def get_lookup(self, lookup_name: str) -> Any:
        found = {"exact": _OnlyEmpty, "isnull": IsNull}.get(lookup_name)
        if found is None:
            raise FieldError(_LOOKUPS.format(self.name))
        return found

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(_LOOKUPS.format(self.name))


class EncryptedCharField(EncryptedField, models.CharField):  # type: ignore[type-arg]
    """One line, written by staff: never the sentence that stood in its place in a form."""

    def get_prep_value(self, value: Any) -> Any:
        words = super().get_prep_value(value)
        if words and (sentence := stands_in(words)):
            raise Refused(f"{sentence} {_STAY}")
        return words


class EncryptedTextField(EncryptedField, models.TextField):  # type: ignore[type-arg]
    """Words of any length, or of `max_length`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))


def stands_in(words: str) -> str:
    """The sentence that stands for unreadable words, where it is among these; else nothing."""
    return next((sentence for sentence in (KEY_IS_MISSING, IS_DAMAGED) if sentence in words), "")


def refuse_stand_in(words: str) -> None:
    """A validator for forms that show stored words to be changed."""
    if sentence := stands_in(words):
        raise ValidationError(f"{sentence} {_STAY}", code="unreadable")


def encrypted_fields(row: type[models.Model]) -> list[EncryptedField]:
    return [one for one in row._meta.local_fields if isinstance(one, EncryptedField)]


def has_words(row: models.Model, name: str) -> bool:
    """Whether the field holds any; they are not opened for that."""
    return bool(row.__dict__[name] if name in row.__dict__ else getattr(row, name))
