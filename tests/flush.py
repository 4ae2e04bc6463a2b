"""Empties the tables after a test that commits, several hundred times in a run.

Django's own `flush` truncates every table, which takes PostgreSQL a seventh of a second, and then acts as after a
migration: it makes content types and permissions anew and looks at every trigger. Here rows are deleted, past the
triggers that refuse it, which costs next to nothing where a table has none; what a migration makes stays.
"""

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests import site_role

MADE_BY_MIGRATE = {"django_content_type", "auth_permission", "django_migrations"}


def flush(using: str) -> None:
    """Empty every table of a model in the database `using`."""
    connection = connections[using]
    existing = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(set(existing) - MADE_BY_MIGRATE)
    if connection.vendor == "sqlite":
        _on_sqlite(connection, tables)
    else:
        with site_role.left_here():
            _on_postgresql(connection, tables)


def _on_postgresql(connection: BaseDatabaseWrapper, tables: list[str]) -> None:
    """In one statement, so in one transaction; a replica runs no triggers, those of foreign keys neither."""
    deletes = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]  # noqa: S608 - tables of ours
    with connection.cursor() as cursor:
        cursor.execute(";".join(["SET LOCAL session_replication_role = replica", *deletes]))


def _on_sqlite(connection: BaseDatabaseWrapper, tables: list[str]) -> None:
    """Without the triggers of those tables for as long; foreign keys are looked at when the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"  # noqa: S608 - ours
                for table in tables
            )
        )
        filled = [table for (table,) in cursor.fetchall()]
        cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = [(name, sql) for table, name, sql in cursor.fetchall() if table in filled]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")
        for table in filled:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a table of ours
        for _, sql in triggers:
            cursor.execute(sql)
