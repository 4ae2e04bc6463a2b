"""From every released version to this one, on both engines: nothing is lost, triggers stand, old code can write."""

import os
import re
import sqlite3
import subprocess
import threading
from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from alliance.operations.version import site_version
from tests.upgrades import restored
from tests.upgrades.restored import manage, state_of

RELEASES = restored.releases()
NOT_OF_THIS_CODE = (
    "The database kept for {} is not what its migrations make now: they were made anew since. Until that version is "
    "tagged, keep another one with `make release`; afterwards, bring the migrations back."
)


def refuse_another_schema(release, found, made_new):
    """Of names and kinds of columns, and names of constraints: a dump may be older than a migration made anew."""
    if found["columns"] != made_new["columns"] or found["constraints"] != made_new["constraints"]:
        differ = [
            table
            for table in sorted({*found["columns"], *made_new["columns"]})
            if found["columns"].get(table) != made_new["columns"].get(table)
            or found["constraints"].get(table) != made_new["constraints"].get(table)
        ]
        pytest.fail(f"{NOT_OF_THIS_CODE.format(release)} They differ in: {', '.join(differ)}.", pytrace=False)


def migrated(url, release):
    done = manage(url, "migrate", "--no-input", "--verbosity", "0")
    if done.returncode:
        pytest.fail(f"{NOT_OF_THIS_CODE.format(release)}\n{done.stderr[-2000:]}", pytrace=False)


@pytest.mark.parametrize("release", RELEASES)
def test_an_upgrade_on_sqlite_loses_nothing(release, tmp_path):
    path = tmp_path / "clinic.sqlite3"
    url = restored.restore_on_sqlite(release, path)
    before, state_before = restored.rows_on_sqlite(path), state_of(url)
    migrated(url, release)
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    migrated(fresh, release)
    state = state_of(url)
    refuse_another_schema(release, state, state_of(fresh))
    assert len(before["sessions_app_rating"][1]) > 20
    assert list(restored.lost(before, restored.rows_on_sqlite(path))) == []
    assert list(restored.refused_inserts(state_before, state)) == []
    assert state["triggers"] == []
    with (
        closing(sqlite3.connect(path)) as database,
        pytest.raises(sqlite3.DatabaseError, match="append-only"),
    ):
        database.execute("UPDATE sessions_app_rating SET total = 0")


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture
def database():
    """(address for Django, for psycopg) of an empty database of this test's own."""
    if "THROW_AWAY_DATABASE" not in os.environ:
        pytest.fail('Run these with scripts/with_postgresql.sh, or leave them out with -m "not postgresql".')
    given, name = os.environ["DATABASE_URL"], f"upgrade_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield (
            f"{given.rsplit('/', 1)[0]}/{name}",
            make_conninfo(**{**conninfo_to_dict(given), "dbname": name}),
        )
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


class OldCode(threading.Thread):
    """Writes lines and clients without a pause, by the columns that the release knows."""

    def __init__(self, url, columns):
        super().__init__(daemon=True)
        self.url, self.columns, self.written, self.failed, self.enough = (
            url,
            columns,
            [],
            [],
            threading.Event(),
        )

    def run(self):
        with psycopg.connect(self.url) as database:
            database.execute("SET lock_timeout = '30s'")
            number = 0
            while not self.enough.is_set():
                number += 1
                try:
                    self._write(database, 10_000_000 + number)
                    database.commit()
                    self.written.append(10_000_000 + number)
                except psycopg.Error as error:
                    database.rollback()
                    self.failed.append(str(error))

    def _write(self, database, number):
        for table, changed in (
            ("alliance_auditevent", {}),
            (
                "clients_client",
                {"code": "gen_random_uuid()", "label": f"'old {number}'", "label_key": f"'old {number}'"},
            ),
        ):
            names = self.columns[table]
            values = [changed.get(name, f'"{name}"') if name != "id" else str(number) for name in names]
            database.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} ORDER BY id LIMIT 1"
            )


@pytest.mark.postgresql
@pytest.mark.parametrize("release", RELEASES)
def test_an_upgrade_on_postgresql_while_the_release_before_writes_loses_nothing(release, database):
    django, url = database
    migrated(django, release)
    made_new = state_of(django)
    restored.restore_on_postgresql(release, url)
    before, state_before = restored.rows_on_postgresql(url), state_of(django)
    old = OldCode(url, {table: list(columns) for table, columns in state_before["columns"].items()})
    old.start()
    try:
        migrated(django, release)
        written = len(old.written)
        while len(old.written) < written + 20 and not old.failed and old.is_alive():
            old.join(0.05)
    finally:
        old.enough.set()
        old.join(60)
    assert (old.failed, len(old.written) > 20) == ([], True)
    state, after = state_of(django), restored.rows_on_postgresql(url)
    refuse_another_schema(release, state, made_new)
    assert list(restored.lost(before, after)) == []
    assert list(restored.refused_inserts(state_before, state)) == []
    assert set(old.written) <= {row[0] for row in after["alliance_auditevent"][1]}
    assert state["triggers"] == []
    with psycopg.connect(url) as changing, pytest.raises(psycopg.Error, match="append-only"):
        changing.execute("UPDATE sessions_app_rating SET total = 0")


# --- What would be noticed ------------------------------------------------------------------------


def test_control_what_is_lost_is_named():
    before = {"a": (["id", "x"], [(1, "one"), (2, "two")]), "b": (["id"], [(1,)]), "c": (["id", "y"], [])}
    after = {"a": (["id", "new", "x"], [(1, 0, "other")]), "c": (["id"], [])}
    assert list(restored.lost(before, after)) == [
        "a.x of 1 was 'one' and is 'other'.",
        "a lost the row 2.",
        "b is gone.",
        "c lost y.",
    ]
    assert list(restored.lost(before, before)) == []


def test_control_a_column_that_old_code_cannot_fill_in_is_named():
    old = {"columns": {"a": {"id": {}}, "b": {"id": {}, "x": {}}, "c": {}}}
    column = {"type": "text", "null": False}
    new = {
        "columns": {
            "a": {"id": {}, "y": {**column, "required": True}},
            "b": {"id": {}, "z": {"required": False}},
        }
    }
    assert list(restored.refused_inserts(old, new)) == [
        "a.y is new, must be filled in and has no default of the database.",
        "b has no x any more.",
        "c is gone.",
    ]


def test_every_released_version_is_kept_for_both_engines():
    tags = subprocess.run(
        ["git", "tag"], cwd=restored.ROOT, capture_output=True, text=True, check=False
    ).stdout
    tagged = [tag for tag in tags.split() if tag[0].isdigit()]
    assert [tag for tag in tagged if tag not in RELEASES] == []
    for release in RELEASES:
        names = {path.name for path in (restored.FOLDER / release).iterdir()}
        assert names == {restored.SQLITE, restored.POSTGRESQL}
    assert re.fullmatch(r"\d+\.\d+\.\d+", site_version())
