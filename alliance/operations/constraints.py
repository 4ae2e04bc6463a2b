"""Which declared constraints the database lacks.

On SQLite each is compared as text: the tables are written as Django declares them. PostgreSQL keeps conditions in
its own words, so there a constraint is known by its name, or its columns, and by whether it was validated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class Lack(Enum):
    GONE = auto()
    NOT_VALIDATED = auto()  # rows from before may break it
    OTHER = auto()  # there, and with another text


@dataclass(frozen=True)
class LackingConstraint:
    name: str
    table: str
    kind: Lack


def lacking_constraints(connection: BaseDatabaseWrapper) -> list[LackingConstraint]:
    """Each that is missing, of all tables that are there: migrations that wait are found elsewhere."""
    find = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    return list(find(connection))


def _rows() -> Iterator[type[models.Model]]:
    return (row for row in apps.get_models(include_auto_created=True) if row._meta.managed)


def _on_sqlite(connection: BaseDatabaseWrapper) -> Iterator[LackingConstraint]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        present: dict[str, str] = dict(cursor.fetchall())
    editor = connection.schema_editor()
    editor.deferred_sql = []  # it is only asked for words
    for row in _rows():
        table = row._meta.db_table
        if table not in present:
            continue
        for constraint in row._meta.constraints:
            inside: Any = constraint.constraint_sql(row, editor)  # None where it is an index
            declared = inside or str(constraint.create_sql(row, editor))
            if declared not in (present[table] if inside else present.get(constraint.name, "")):
                is_named = constraint.name in present or f'"{constraint.name}"' in present[table]
                yield LackingConstraint(constraint.name, table, Lack.OTHER if is_named else Lack.GONE)


_CONSTRAINTS = """
SELECT relname, conname, contype, convalidated,
       ARRAY(SELECT attname FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
             JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place)::text[]
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE pg_table_is_visible(conrelid)
UNION ALL
SELECT tables.relname, indexes.relname, 'i', indisvalid, ARRAY[]::text[]
FROM pg_index JOIN pg_class AS indexes ON indexes.oid = indexrelid JOIN pg_class AS tables ON tables.oid = indrelid
WHERE indisunique AND pg_table_is_visible(indrelid)
"""


def _on_postgresql(connection: BaseDatabaseWrapper) -> Iterator[LackingConstraint]:
    with connection.cursor() as cursor:
        cursor.execute(_CONSTRAINTS)
        found = cursor.fetchall()
        tables = set(connection.introspection.table_names(cursor))
    named = {(table, name): is_valid for table, name, _kind, is_valid, _columns in found}
    keys = {(table, kind, tuple(columns)): is_valid for table, _name, kind, is_valid, columns in found}
    for row in _rows():
        table = row._meta.db_table
        if table not in tables:
            continue
        for constraint in row._meta.constraints:
            yield from _lack(constraint.name, table, named.get((table, constraint.name)))
        for field in row._meta.local_concrete_fields:
            name = f"{table}.{field.column}"
            if field.primary_key or field.unique:
                kind = "p" if field.primary_key else "u"
                yield from _lack(f"{name} (unique)", table, keys.get((table, kind, (field.column,))))
            if isinstance(field, models.ForeignKey) and getattr(field, "db_constraint", False):
                yield from _lack(f"{name} (foreign key)", table, keys.get((table, "f", (field.column,))))


def _lack(name: str, table: str, is_valid: bool | None) -> Iterator[LackingConstraint]:
    if not is_valid:
        yield LackingConstraint(name, table, Lack.GONE if is_valid is None else Lack.NOT_VALIDATED)
