"""What the site's own role may do in PostgreSQL: declared from the rows, granted by the owner, compared by a check.

Two roles. The owner makes and changes tables: `manage.py migrate`, and nothing else. The site reads and writes rows.
Who takes the site over, by a fault in it or with its password, can then switch no trigger off, empty no table, and say
nothing else of an append-only row than the site itself could (docs/adr/0067).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from alliance.append_only import APPEND_ONLY, GOES_WITH_A_CLIENT, SEALED_ANEW

OF_A_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
# What Django reads before it serves, and only `migrate` writes.
READ_ONLY = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@dataclass(frozen=True)
class Grant:
    """On one table. `columns`: those alone that may be updated, where not all may."""

    table: str
    privileges: frozenset[str]
    columns: frozenset[str] = frozenset()


def grants(connection: BaseDatabaseWrapper) -> list[Grant]:
    """What the site's role needs on each table that is there, and no more."""
    return [_grant(table) for table in sorted(_tables(connection))]


def _tables(connection: BaseDatabaseWrapper) -> set[str]:
    ours = {MigrationRecorder.Migration._meta.db_table}
    ours |= {str(cache["LOCATION"]) for cache in settings.CACHES.values() if cache.get("LOCATION")}
    for row in apps.get_models(include_auto_created=True):
        if row._meta.managed and not row._meta.proxy:
            ours.add(row._meta.db_table)
    with connection.cursor() as cursor:
        return ours & set(connection.introspection.table_names(cursor))


def _grant(table: str) -> Grant:
    if table in READ_ONLY:
        return Grant(table, frozenset({"SELECT"}))
    if table not in APPEND_ONLY:
        return Grant(table, frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"}))
    # What goes with an erased client, or is sealed anew, the trigger alone can tell: it asks for a permit.
    goes = {"DELETE"} if table in GOES_WITH_A_CLIENT else set()
    columns = APPEND_ONLY[table] | GOES_WITH_A_CLIENT.get(table, frozenset()) | SEALED_ANEW[table]
    return Grant(table, frozenset({"SELECT", "INSERT"} | goes), columns)


# --- Granting ------------------------------------------------------------------------------------


def grant_to(role: str, using: str = DEFAULT_DB_ALIAS) -> int:
    """Make what `role` may do equal to what is declared, as the owner of the tables; on how many tables it differed.

    Only what differs is written: a site that runs is not kept waiting.
    """
    connection = connections[using]
    name, database = connection.ops.quote_name(role), connection.ops.quote_name(_database(connection))
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if any(_on_the_database(role, connection)):
            # A temporary table hides the real one: a trigger would ask that one for the permit of an erasure.
            cursor.execute(f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC, {name}")
            cursor.execute(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {name}")
        cursor.execute(f"GRANT CONNECT ON DATABASE {database} TO {name}")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        differing = [grant for grant in grants(connection) if any(_differs(role, grant, connection))]
        for grant in differing:
            table = connection.ops.quote_name(grant.table)
            cursor.execute(f"REVOKE ALL ON {table} FROM PUBLIC, {name}")
            cursor.execute(f"GRANT {', '.join(sorted(grant.privileges))} ON {table} TO {name}")
            if grant.columns:
                columns = ", ".join(connection.ops.quote_name(one) for one in sorted(grant.columns))
                cursor.execute(f"GRANT UPDATE ({columns}) ON {table} TO {name}")
    return len(differing)


# --- Comparing -----------------------------------------------------------------------------------

_ROLE = """
SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s
"""
_POWERS = (
    "is a superuser",
    "may make roles",
    "may make databases",
    "may replicate",
    "passes row security by",
)
_OWNERS = """
SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
WHERE relname = ANY(%s) AND relkind IN ('r', 'p') AND pg_table_is_visible(oid)
AND pg_has_role(%s, relowner, 'MEMBER')
"""
_ON_THE_DATABASE = """
SELECT has_database_privilege(%(role)s, current_database(), 'TEMPORARY'),
has_database_privilege(%(role)s, current_database(), 'CREATE'), has_schema_privilege(%(role)s, 'public', 'CREATE')
"""
_DATABASE_SENTENCES = ("may make temporary tables", "may make schemas", "may make tables")
_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
AND has_column_privilege(%s, attrelid, attnum, 'UPDATE')
"""


def differences(role: str, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """What `role` may do that it should not, or the other way round, in plain words; empty where all is as declared."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [role])
        powers = cursor.fetchone()
        if powers is None:
            return [f"The database knows no role {role}."]
        found = [f"{role} {what}." for what, has_it in zip(_POWERS, powers, strict=True) if has_it]
        if found:
            return found  # a superuser may do everything: nothing else is worth a line
        cursor.execute(_OWNERS, [sorted(_tables(connection)), role])
        owners = [name for (name,) in cursor.fetchall()]
        if owners:
            return [f"{role} owns tables, or may act as {owners[0]}, who does: it can switch triggers off."]
    found += [f"{role} {sentence}." for sentence in _on_the_database(role, connection)]
    for grant in grants(connection):
        found += _differs(role, grant, connection)
    return found


def _on_the_database(role: str, connection: BaseDatabaseWrapper) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ON_THE_DATABASE, {"role": role})
        may = cursor.fetchone()
    yield from (sentence for sentence, has_it in zip(_DATABASE_SENTENCES, may, strict=True) if has_it)


def _differs(role: str, grant: Grant, connection: BaseDatabaseWrapper) -> Iterable[str]:
    """Also what reaches the role over PUBLIC or another role: what counts is what it can do."""
    asked = ", ".join(f"has_table_privilege(%s, %s::regclass, '{one}')" for one in OF_A_TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {asked}", [role, grant.table] * len(OF_A_TABLE))
        has = {one for one, has_it in zip(OF_A_TABLE, cursor.fetchone(), strict=True) if has_it}
        for privilege in sorted(has - grant.privileges):
            yield f"{role} may {privilege} on {grant.table}."
        for privilege in sorted(grant.privileges - has):
            yield f"{role} may not {privilege} on {grant.table}, which the site needs."
        if "UPDATE" in has:
            return
        cursor.execute(_COLUMNS, [grant.table, role])
        columns = {name for (name,) in cursor.fetchall()}
    for column in sorted(columns - grant.columns):
        yield f"{role} may change {column} in {grant.table}."
    for column in sorted(grant.columns - columns):
        yield f"{role} may not change {column} in {grant.table}, which the site needs."


def _database(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        return str(cursor.fetchone()[0])
