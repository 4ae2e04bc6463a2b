"""Prints what the present code finds in the database that DATABASE_URL names: `python -m tests.upgrades.state`."""

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")
django.setup()

from django.db import connection  # noqa: E402

from alliance import triggers  # noqa: E402

ON_POSTGRESQL = """
SELECT table_name, column_name, data_type || coalesce(character_maximum_length::text, ''), is_nullable = 'YES',
column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS'
FROM information_schema.columns WHERE table_schema = 'public'
"""
ON_SQLITE = """
SELECT t.name, c.name, c.type, NOT c."notnull" OR c.pk, c.dflt_value IS NOT NULL OR c.hidden > 0
FROM sqlite_master AS t, pragma_table_xinfo(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
"""
columns: dict[str, dict[str, dict[str, object]]] = {}
with connection.cursor() as cursor:
    cursor.execute(ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE)
    for table, name, kind, null, default in cursor.fetchall():
        column = {"type": kind, "null": bool(null), "required": not (null or default)}
        columns.setdefault(table, {})[name] = column
    constraints = {
        table: sorted(connection.introspection.get_constraints(cursor, table)) for table in sorted(columns)
    }
print(
    json.dumps(
        {"triggers": triggers.missing_triggers(connection), "columns": columns, "constraints": constraints}
    )
)
