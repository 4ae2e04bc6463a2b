"""Database triggers, declared in code and put back after every migration.

SQLite makes a table anew for many a change of a column, and its triggers go with the old one; PostgreSQL drops
a trigger along with a column it names. So no migration makes triggers: rows declare them, and `put_back` makes
the database's equal to what is declared. It runs whenever `migrate` has run, so at every start.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps


@dataclass(frozen=True)
class Function:
    """What a trigger of PostgreSQL runs: one in PL/pgSQL, without arguments."""

    name: str
    body: str

    @property
    def sql(self) -> str:
        return f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $${self.body}$$"


@dataclass(frozen=True)
class Trigger:
    """`sql` is CREATE TRIGGER as the database gives it back: PostgreSQL in its own words, SQLite in ours."""

    name: str
    table: str
    sql: str
    function: Function | None = None  # of PostgreSQL alone
    reads: tuple[str, ...] = ()  # other tables that it looks into


Build = Callable[[BaseDatabaseWrapper], Iterable[Trigger]]
# {table: what makes its triggers}; filled while the rows are imported.
_DECLARED: dict[str, list[Build]] = {}

# A trigger that somebody disabled counts as missing.
_ON_POSTGRESQL = """
SELECT tgname, pg_get_triggerdef(pg_trigger.oid, true), prosrc
FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid)
"""
_ON_SQLITE = "SELECT name, sql, '' FROM sqlite_master WHERE type = 'trigger'"


def declare(row: type[models.Model], build: Build) -> None:
    """Add triggers to the table of `row`. `build` is asked for them when the table is as it will stay."""
    _DECLARED.setdefault(row._meta.db_table, []).append(build)


def declared(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Every trigger this database must have; none for a table that a migration backwards took away."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    builds = [build for table, builds in _DECLARED.items() if table in tables for build in builds]
    return [trigger for build in builds for trigger in build(connection)]


def missing(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """The declared triggers that the database lacks, has disabled, or has with another text."""
    with connection.cursor() as cursor:
        cursor.execute(_ON_POSTGRESQL if connection.vendor == "postgresql" else _ON_SQLITE)
        present = {name: (sql, body) for name, sql, body in cursor.fetchall()}
    return [
        trigger
        for trigger in declared(connection)
        if present.get(trigger.name) != (trigger.sql, trigger.function.body if trigger.function else "")
    ]


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that are not as declared; empty while every protection is in place."""
    return [trigger.name for trigger in missing(connection)]


def put_back(using: str = DEFAULT_DB_ALIAS, **kwargs: object) -> None:
    """Make the triggers of the database `using` equal to the declared ones: what `migrate` does last."""
    connection = connections[using]
    lost = missing(connection)
    if not lost:
        return
    if kwargs.get("plan") == []:
        # No migration took them, so somebody did: `manage.py doctor` says what follows.
        names = ", ".join(trigger.name for trigger in lost)
        logging.getLogger(__name__).warning("Triggers were not as declared and are put back: %s", names)
    functions = {trigger.function.sql for trigger in lost if trigger.function}
    with transaction.atomic(using=using), connection.cursor() as cursor:
        # Without parameters, or psycopg takes the % of RAISE for a placeholder.
        for sql in functions:
            cursor.execute(sql)
        for trigger in lost:
            cursor.execute(drop(connection, trigger))
            cursor.execute(trigger.sql)


def drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> str:
    """The statement that takes a trigger away, whether or not it is there."""
    name = connection.ops.quote_name(trigger.name)
    on = f" ON {connection.ops.quote_name(trigger.table)}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {name}{on}"


def lift_what_reads_others(
    using: str = DEFAULT_DB_ALIAS, plan: Sequence[object] = (), **kwargs: object
) -> None:
    """Before a migration, take away the triggers that look into other tables: SQLite makes none of those anew else.

    `put_back` makes them again when `migrate` has run. Where there is nothing to migrate they stay: the site may run.
    """
    connection = connections[using]
    if connection.vendor != "sqlite" or not plan:
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for trigger in declared(connection):
            if trigger.reads:
                cursor.execute(drop(connection, trigger))


def lifted(table: str) -> RunPython:
    """The operation to put before one that removes a column its triggers name, which SQLite refuses.

    `put_back` makes them anew when all migrations have run, for the columns that are left.
    """

    def lift(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for trigger in declared(schema_editor.connection):
            if trigger.table == table:
                schema_editor.execute(drop(schema_editor.connection, trigger))

    return RunPython(lift, lift)
