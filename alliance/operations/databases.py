"""The database of the site as backups need it, the same for both engines: a still picture, and copies beside it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import connection

Ask = Any  # a function (sql, parameters) -> list of rows
# A copy that is older was left by a process that was killed.
FORGOTTEN_AFTER_HOURS = 24


class Snapshot(Protocol):
    """The database as it was at one moment, while others go on writing."""

    def ask(self, sql: str) -> list[tuple[Any, ...]]: ...

    def content(self) -> Iterator[bytes]: ...


class Copy(Protocol):
    """A database beside the one of the site, to restore into. `environment`: what a command needs to work on it."""

    name: str

    @property
    def environment(self) -> Mapping[str, str]: ...

    def load(self, content: Iterable[bytes]) -> None: ...

    def ask(self, sql: str) -> list[tuple[Any, ...]]: ...

    def put_in_place(self) -> str:
        """It becomes the database of the site. How what was there is called now; "" where there was nothing."""


class Database(Protocol):
    engine: str

    def version(self) -> str: ...

    def snapshot(self) -> AbstractContextManager[Snapshot]: ...

    def new_copy(self) -> AbstractContextManager[Copy]: ...

    def has_rows(self) -> bool:
        """Whether there is something that could be lost."""

    def ask(self, sql: str) -> list[tuple[Any, ...]]: ...

    def refuse_if_in_use(self) -> None: ...


def of_the_site(*, as_owner: bool = False) -> Database:
    """The database that the settings name, as the role for backups connects, or the owner of its tables.

    The first reads everything and makes copies; the second may put one in place. With one role named, it is that.
    """
    found = {**connection.settings_dict}
    roles = [getattr(settings, "DATABASE_OWNER", None)]
    if not as_owner:
        roles.insert(0, settings.BACKUP_DATABASE)
    if role := next(filter(None, roles), None):
        found.update({name: role[name] for name in ("HOST", "PORT", "USER", "PASSWORD")})
    if connection.vendor == "postgresql":
        from alliance.operations.postgresql_database import PostgreSQL

        return PostgreSQL(found)
    from alliance.operations.sqlite_database import SQLite

    return SQLite(Path(found["NAME"]))
