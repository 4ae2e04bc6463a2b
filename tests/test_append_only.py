"""What the migrations declared append-only is so once all of them have run.

SQLite makes a table anew for many a change of a column, and the triggers of the old one go with it: a later
migration can take the protection away without a word.
"""

import inspect
import re

import pytest
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader

EVERYTHING = {
    "alliance_auditevent",
    "sessions_app_rating",
    "sessions_app_setasiderating",
    "sessions_app_correction",
    "sessions_app_clinicwording",
    "sessions_app_licence",
    "sessions_app_clinicsettings",
}
POSTGRESQL = """
SELECT relname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE tgenabled = 'O' AND tgname LIKE '%\\_append\\_only'
"""
SQLITE = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%append_only%'"


def declared():
    """{table: what is refused beside a delete}, as each `append_only(...)` in a migration says it."""
    operations = [
        operation
        for migration in MigrationLoader(None).disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, RunPython) and operation.code.__module__ == "alliance.append_only"
    ]
    said = [inspect.getclosurevars(operation.code).nonlocals for operation in operations]
    return {one["table"]: one["update"] for one in said}


def refused():
    """{table: what its triggers refuse}, as the database has it now."""
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)
        found = {}
        for table, sql in cursor.fetchall():
            verbs = re.search(r" BEFORE (.+?) ON ", sql)[1].replace('"', "")
            found.setdefault(table, set()).update(verbs.split(" OR "))
    return found


@pytest.mark.django_db
def test_every_append_only_table_still_refuses_after_all_migrations():
    assert set(declared()) == EVERYTHING
    triggers = refused()
    for table, update in declared().items():
        assert triggers.get(table) == {update, "DELETE"}, table


@pytest.mark.django_db
def test_control_a_trigger_that_is_gone_is_noticed():
    name = "sessions_app_clinicsettings_append_only"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER {name} ON sessions_app_clinicsettings")
        else:
            cursor.execute(f"DROP TRIGGER {name}_UPDATE")
    assert refused().get("sessions_app_clinicsettings", set()) < {"UPDATE", "DELETE"}
