"""Append-only tables, refused by the database itself: a migration operation for both engines."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps

POSTGRESQL = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER {table}_append_only BEFORE {update} OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
SQLITE = """
CREATE TRIGGER {table}_append_only_{verb} BEFORE {change} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
"""


def append_only(table: str, *columns: str) -> RunPython:
    """The operation that makes `table` refuse every update and delete.

    A wrong answer is corrected by a new row that names the one it replaces; see `Rating.replaces`.
    With `columns` only these refuse an update: the content stands, its state may change.
    """
    update = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"

    def refuse(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            # params=None: otherwise psycopg takes the % of RAISE for a placeholder.
            schema_editor.execute(POSTGRESQL.format(table=table, update=update), params=None)
            return
        for verb in ("UPDATE", "DELETE"):
            change = update if verb == "UPDATE" else verb
            schema_editor.execute(SQLITE.format(table=table, verb=verb, change=change))

    def allow(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            return
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(f"DROP TRIGGER {table}_append_only_{verb}")

    return RunPython(refuse, allow)
