"""What the tests of backups share: a folder, a key, and a second site to restore on."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from alliance import triggers
from alliance.operations import backup, backup_keys, databases
from alliance.operations.postgresql_database import PostgreSQL
from alliance.operations.sqlite_database import SQLite
from tests.site_role import left_here

OF_THE_TESTS = databases.of_the_site


@dataclass
class Site:
    """Where backups lie, and the key that opens them."""

    folder: Path
    key: Path

    def backup(self) -> Path:
        """Of the database of the tests, also where `elsewhere` is the one to restore into."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(databases, "of_the_site", OF_THE_TESTS)
            return backup.make().path

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.suffix in (".tar", ".age"))


@pytest.fixture
def site(settings, tmp_path) -> Site:
    """BACKUP_FOLDER and a recipient, as a clinic has them."""
    private, public = backup_keys.one_for_the_moment()
    key = tmp_path / "key.txt"
    key.write_text(f"{private}\n")
    settings.BACKUP_FOLDER = str(tmp_path / "backups")
    settings.BACKUP_RECIPIENTS = [str(public)]
    return Site(tmp_path / "backups", key)


def said(name: str, *arguments: object, **options: Any) -> str:
    """What a command prints, its last sentence too where it fails."""
    out = StringIO()
    try:
        call_command(name, *map(str, arguments), stdout=out, stderr=out, **options)
    except CommandError as error:
        return f"{out.getvalue()}CommandError: {error}"
    return out.getvalue()


@dataclass
class Elsewhere:
    """The database of another machine: empty at first."""

    database: Any
    run: Callable[[str], None]

    def one(self, sql: str) -> Any:
        return self.database.ask(sql)[0][0]

    def copies(self) -> list[str]:
        """What lies beside it."""
        if isinstance(self.database, SQLite):
            beside = {path.name for path in self.database.path.parent.iterdir()}
            return sorted(name for name in beside if not name.endswith(("-wal", "-shm")))
        begins = self.database.name + "_"
        with self.database._at_the_server() as server:
            found = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [begins])
            return sorted(name for (name,) in found)


@pytest.fixture
def elsewhere(monkeypatch, tmp_path) -> Iterator[Elsewhere]:
    """From here on `restore` and `verify_backup` work on another database than the tests': `databases.of_the_site`."""
    if connection.vendor == "sqlite":
        (tmp_path / "other").mkdir()
        lite = SQLite(tmp_path / "other" / "site.sqlite3")

        def run(sql: str) -> None:
            import sqlite3

            with contextlib.closing(sqlite3.connect(lite.path)) as connected, connected:
                connected.execute(sql)

        monkeypatch.setattr(databases, "of_the_site", lambda **_: lite)
        yield Elsewhere(lite, run)
        return
    name = f"{connection.settings_dict['NAME']}_elsewhere"
    postgresql = PostgreSQL({**connection.settings_dict, "NAME": name})

    def run_there(sql: str) -> None:
        with postgresql.connected(name) as connected:
            connected.execute(sql.encode())

    monkeypatch.setattr(databases, "of_the_site", lambda **_: postgresql)
    there = Elsewhere(postgresql, run_there)
    yield there
    with postgresql._at_the_server() as server:
        for left in [name, *there.copies()]:
            server.execute(
                psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    psycopg.sql.Identifier(left)
                )
            )


@contextlib.contextmanager
def without_trigger(name: str) -> Iterator[None]:
    """What whoever owns the database can do."""
    (found,) = [one for one in triggers.declared(connection) if one.name == name]
    with left_here(), connection.cursor() as cursor:
        cursor.execute(triggers.drop(connection, found))
    try:
        yield
    finally:
        with left_here():
            triggers.put_back(using=connection.alias)
