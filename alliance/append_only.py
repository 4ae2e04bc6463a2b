"""Append-only tables, refused by the database itself: a row class says so with `@append_only(...)`.

Triggers refuse an update, a delete, and what amounts to one without being called so: TRUNCATE on PostgreSQL,
INSERT OR REPLACE on SQLite, which deletes the row in its way and fires no trigger for that by default.
`alliance.triggers` keeps them in place.

Rows of a client go with the client, and not otherwise: their delete is let through where the same transaction holds
the permit of a confirmed erasure of that very client (`alliance.erasures`, docs/adr/0054). Words that are stored sealed
may be sealed anew under another key, with the permit of a rotation (`alliance.key_rotation`, docs/adr/0072).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from alliance import triggers
from alliance.encrypted_field import MARK, encrypted_fields
from alliance.rotation_permit import PERMIT_TABLE
from alliance.triggers import Function, Trigger

Row = TypeVar("Row", bound=type[models.Model])
# {table: the columns that may change}
APPEND_ONLY: dict[str, frozenset[str]] = {}
# {table: the columns that an erasure may empty}; only what is here may be deleted, along with a client.
GOES_WITH_A_CLIENT: dict[str, frozenset[str]] = {}
# {table: the columns of sealed words, which a rotation of keys may seal anew}
SEALED_ANEW: dict[str, frozenset[str]] = {}

REFUSE_CHANGE = Function(
    "refuse_change",
    " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME"
    " USING ERRCODE = 'integrity_constraint_violation'; END ",
)


_CONFIRMED = (
    "alliance_erasure AS erasure JOIN alliance_erasurepermit AS permit ON permit.erasure_id = erasure.id"
    " WHERE erasure.confirmed_at IS NOT NULL"
)
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Erasable:
    """What an erasure or a rotation may do to rows that nobody else may touch. delete: a condition on the OLD row.

    emptied: {column: the SQL of its value when the row was emptied}. reads: the tables that the conditions look into.
    sealed: the columns with sealed words.
    """

    delete: str = ""
    emptied: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    sealed: frozenset[str] = frozenset()

    def may_update(self, columns: Iterable[str], same: str) -> str:
        """A condition in SQL on OLD and NEW; empty where nothing may change."""
        names = list(columns)
        may = [self.is_emptied(names, same)] if self.emptied else []
        if self.sealed:
            may.append(self.is_sealed_anew(names, same))
        return " OR ".join(f"({one})" for one in may)

    @property
    def update_reads(self) -> tuple[str, ...]:
        return (*(self.reads if self.emptied else ()), *((PERMIT_TABLE,) if self.sealed else ()))

    def is_sealed_anew(self, columns: Iterable[str], same: str) -> str:
        """A condition on an update: with a permit, sealed words became sealed words, and nothing else changed."""
        values = []
        for name in columns:
            is_same = f'NEW."{name}" {same} OLD."{name}"'
            if name in self.sealed:
                # Without null in it: SQLite takes NOT (null) for a reason not to refuse.
                both = [
                    f"substr(coalesce({row}.\"{name}\", ''), 1, {len(MARK) + 1}) = '{MARK}.'"
                    for row in ("NEW", "OLD")
                ]
                is_same = f"({is_same} OR ({' AND '.join(both)}))"
            values.append(is_same)
        return f"{' AND '.join(values)} AND EXISTS (SELECT 1 FROM {PERMIT_TABLE})"

    def is_emptied(self, columns: Iterable[str], same: str) -> str:
        """A condition on an update: with the permit of any client, it takes the content out and changes nothing else.

        same: how the database says that two values, which may be null, are the same.
        """
        values = [f'NEW."{name}" {same} ' + self.emptied.get(name, f'OLD."{name}"') for name in columns]
        return f"{' AND '.join(values)} AND EXISTS (SELECT 1 FROM {_CONFIRMED})"


def append_only(
    *,
    may_change: tuple[str, ...] = (),
    erased_along: str = "",
    emptied: Mapping[str, str] = NOTHING,
    taken_out: Erasable | None = None,
) -> Callable[[Row], Row]:
    """Declare that rows of this class are only ever added: the database refuses the rest.

    A wrong row is corrected by a new one that names the one it replaces; see `Rating.replaces`. The fields
    `may_change` hold the state of a row whose content stands. A column that is added later is content.
    `erased_along`: the way to the client with whom a row goes, as "session__episode__client"; none, and it never goes.
    `emptied`: what the row of one client is left with that held the marks of another one, who is erased.
    `taken_out`: the permission to delete rows that is no erasure's.
    """

    def declare(row: Row) -> Row:
        columns = {one.name: str(one.column) for one in row._meta.local_fields}
        state = frozenset(columns[name] for name in may_change)
        APPEND_ONLY[row._meta.db_table] = state
        SEALED_ANEW[row._meta.db_table] = frozenset(str(one.column) for one in encrypted_fields(row)) - state
        if erased_along:
            GOES_WITH_A_CLIENT[row._meta.db_table] = frozenset(emptied)
        triggers.declare(row, partial(_triggers, row, state, erased_along, emptied, taken_out))
        return row

    return declare


def _triggers(
    row: type[models.Model],
    state: frozenset[str],
    erased_along: str,
    emptied: Mapping[str, str],
    taken_out: Erasable | None,
    connection: BaseDatabaseWrapper,
) -> Iterator[Trigger]:
    of_vendor = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    erasable = taken_out or Erasable()
    if erased_along:
        erasable = _erasable(row, erased_along.split("__"), emptied)
    erasable = replace(erasable, sealed=SEALED_ANEW[row._meta.db_table])
    return of_vendor(row._meta.db_table, state, erasable, connection)


def _erasable(row: type[models.Model], way: list[str], emptied: Mapping[str, str]) -> Erasable:
    """Its row goes where a permit is there for the client it belongs to."""
    joins: list[str] = []
    table, key = _referred_by(row, way[0])
    reads, start = ["alliance_erasurepermit", "alliance_erasure", table._meta.db_table], f"OLD.{key}"
    for place, name in enumerate(way[1:]):
        table, key = _referred_by(table, name)
        reads.append(table._meta.db_table)
        joins.append(f"JOIN {reads[-1]} AS step{place + 1} ON step{place + 1}.id = step{place}.{key}")
    belongs = (
        f"SELECT step{len(joins)}.code FROM {reads[2]} AS step0 {' '.join(joins)} WHERE step0.id = {start}"
    )
    condition = f"EXISTS (SELECT 1 FROM {_CONFIRMED} AND erasure.client = ({belongs}))"
    return Erasable(condition, emptied, tuple(reads))


def _referred_by(row: type[models.Model], name: str) -> tuple[type[models.Model], str]:
    """The row class that the field `name` refers to, and its column."""
    found: Any = row._meta.get_field(name)
    return found.related_model, found.column


# --- PostgreSQL ----------------------------------------------------------------------------------


def _on_postgresql(
    table: str, state: frozenset[str], erasable: Erasable, connection: BaseDatabaseWrapper
) -> Iterator[Trigger]:
    runs = f"EXECUTE FUNCTION {REFUSE_CHANGE.name}()"
    name = f"{table}_append_only"
    change = "UPDATE"
    if state:
        change += f" OF {', '.join(_content_on_postgresql(table, state, connection))}"
    if not erasable.delete:
        change = f"DELETE OR {change}"
    function = REFUSE_CHANGE
    if erasable.update_reads:
        with connection.cursor() as cursor:
            columns = [one.name for one in connection.introspection.get_table_description(cursor, table)]
        condition = erasable.may_update(columns, "IS NOT DISTINCT FROM")
        function = _refuse_unless(condition, f"refuse_change_of_{table}", "NEW")
    runs_on_row = f"EXECUTE FUNCTION {function.name}()"
    sql = f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW {runs_on_row}"
    yield Trigger(name, table, sql, function, erasable.update_reads)
    if erasable.delete:
        name = f"{table}_append_only_delete"
        function = _refuse_unless(erasable.delete, f"refuse_delete_of_{table}", "OLD")
        sql = (
            f"CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function.name}()"
        )
        yield Trigger(name, table, sql, function, erasable.reads)
    name = f"{table}_append_only_truncate"
    sql = f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {runs}"
    yield Trigger(name, table, sql, REFUSE_CHANGE)


def _refuse_unless(condition: str, name: str, row: str) -> Function:
    return Function(name, f" BEGIN IF {condition} THEN RETURN {row}; END IF;{REFUSE_CHANGE.body[6:]}")


def _content_on_postgresql(table: str, state: frozenset[str], connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, quote_ident(attname) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [table],
        )
        return [quoted for name, quoted in cursor.fetchall() if name not in state]


# --- SQLite --------------------------------------------------------------------------------------


def _on_sqlite(
    table: str, state: frozenset[str], erasable: Erasable, connection: BaseDatabaseWrapper
) -> Iterator[Trigger]:
    columns = _columns_on_sqlite(table, connection)
    content = ", ".join(f'"{name}"' for name in columns if name not in state)
    keys = _unique_keys(table, connection)
    permitted = erasable.may_update(columns, "IS")
    refused = {
        "update": (
            f"UPDATE OF {content}" if state else "UPDATE",
            f" WHEN NOT ({permitted})" if permitted else "",
        ),
        "delete": ("DELETE", f" WHEN NOT {erasable.delete}" if erasable.delete else ""),
        "replace": ("INSERT", _is_in_the_way(table, columns, keys)),
    }
    if state:
        # UPDATE OR REPLACE of the state, too, deletes the row in its way.
        of_state = ", ".join(f'"{name}"' for name in columns if name in state)
        other = _is_in_the_way(table, columns, keys[1:], ' AND "id" <> OLD."id"')
        refused["replace_by_update"] = (f"UPDATE OF {of_state}", other)
    for what, (change, when) in refused.items():
        name = f"{table}_append_only_{what}"
        sql = (
            f'CREATE TRIGGER "{name}" BEFORE {change} ON "{table}"{when}'
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        looks = {"delete": erasable.reads, "update": erasable.update_reads}.get(what, ())
        yield Trigger(name, table, sql, reads=looks)


def _is_in_the_way(table: str, columns: list[str], keys: list[tuple[str, str]], but: str = "") -> str:
    """WHEN a row is there with one of the unique keys of the new row, which OR REPLACE would delete."""
    return " WHEN " + " OR ".join(
        f'EXISTS (SELECT 1 FROM "{table}" WHERE ({key}) = ({_key_of_new(columns, key, where)}){_and(where)}{but})'
        for key, where in keys
    )


def _key_of_new(columns: list[str], key: str, where: str) -> str:
    named = [f'"{name}"' for name in columns if f'"{name}"' in key + where]
    new = ", ".join(f"NEW.{name} AS {name}" for name in named)
    return f"SELECT {key} FROM (SELECT {new})" + (f" WHERE {where}" if where else "")


def _and(where: str) -> str:
    return f" AND {where}" if where else ""


def _unique_keys(table: str, connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """(what is unique, under which condition), in SQL, the primary key first: as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql, (SELECT group_concat('\"' || name || '\"', ', ') FROM pragma_index_info(one.name))"
            " FROM pragma_index_list(%s) AS one JOIN sqlite_master USING (name)"
            ' WHERE one."unique" ORDER BY one.name',
            [table],
        )
        return [('"id"', ""), *(_key_of_index(sql) if sql else (key, "") for sql, key in cursor.fetchall())]


def _key_of_index(sql: str) -> tuple[str, str]:
    """CREATE UNIQUE INDEX "name" ON "table" (key) WHERE (condition): the key and the condition."""
    head, _, where = sql.partition(" WHERE ")
    return head[head.index("(") + 1 : head.rindex(")")], where


def _columns_on_sqlite(table: str, connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_info(%s) ORDER BY cid", [table])
        return [name for (name,) in cursor.fetchall()]
