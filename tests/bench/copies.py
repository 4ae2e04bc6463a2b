"""Copies of a whole clinic within the database: people, courses, and every conclusion about them.

One statement a table. Which tables: those that cannot be without a client or a person. So a table that is added
later is copied too, as long as its rows name others by foreign key; what does not survive that is found by
`conclusions.differing`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

ROOTS = ("alliance.User", "clients.Client")
APPS = ("alliance", "clients", "sessions_app", "mfa")
LEFT_OUT = ("alliance.AuditEvent",)  # `log_lines` writes it, in the order of time


@transaction.atomic
def multiply(copies: int) -> None:
    """So many copies beside what is there; all row numbers and codes are new, and point within their copy."""
    models_copied = copied()
    # All are made before the first is run: they hold the highest row numbers of the clinic that is copied.
    statements = [_statement(model, models_copied) for model in models_copied]
    with _unchecked(models_copied), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {"copies": copies})
        for model in models_copied:
            if isinstance(model._meta.pk, models.AutoField):
                table = model._meta.db_table
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )


def copied() -> list[type[models.Model]]:
    """The models whose rows belong to a client or a person, among those that have rows."""
    found = {apps.get_model(name) for name in ROOTS}
    possible = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in APPS and model._meta.label not in LEFT_OUT
    ]
    while more := {model for model in possible if model not in found and _hangs_on(model, found)}:
        found |= more
    return sorted((one for one in found if one._default_manager.exists()), key=lambda one: one._meta.label)


def _hangs_on(model: type[models.Model], others: set[type[models.Model]]) -> bool:
    fields = model._meta.concrete_fields
    return any(field.is_relation and not field.null and field.related_model in others for field in fields)


def _statement(model: type[models.Model], models_copied: list[type[models.Model]]) -> str:
    table, fields = model._meta.db_table, model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(field, models_copied) for field in fields)
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, generate_series(1, %(copies)s) AS copy"


def _value(field: Any, models_copied: list[type[models.Model]]) -> str:
    column = f'"{field.column}"'
    named = field.related_model if field.is_relation else field.model if field.primary_key else None
    if named is not None:
        return _key(column, named) if named in models_copied else column
    if isinstance(field, models.UUIDField):
        return _uuid(column)
    if field.model._meta.label == "clients.Client" and field.name == "label":
        # As long as before: no label may be a part of another, or a search finds more than one client.
        return f"'K-' || (substr({column}, 3)::int + copy * 1000)"
    if isinstance(field, models.EmailField):
        return f"copy || '.' || {column}"
    if field.unique and isinstance(field, models.CharField):
        return f"md5({column} || copy) || md5(copy || {column})"
    return column


def _key(column: str, model: type[models.Model]) -> str:
    """The key that a row of `model` has in the copy."""
    key: Any = model._meta.pk
    while key.is_relation:  # a row that shares its key with another
        model = key.related_model
        key = model._meta.pk
    if isinstance(key, models.UUIDField):
        return _uuid(column)
    highest = model._default_manager.order_by("-pk").values_list("pk", flat=True)[0]
    return f"{column} + copy * {highest}"


def _uuid(column: str) -> str:
    return f"md5({column}::text || '-' || copy)::uuid"


@contextmanager
def _unchecked(models_copied: list[type[models.Model]]) -> Iterator[None]:
    """Without foreign keys and triggers, and with plain indexes made afterwards: minutes less for a million ratings."""
    tables = [model._meta.db_table for model in models_copied]
    with without_indexes(tables), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


@contextmanager
def without_indexes(tables: list[str]) -> Iterator[None]:
    """Those that are not unique are dropped, and made again in the end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE NOT indisunique AND indrelid = ANY(SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)",
            [tables],
        )
        indexes = cursor.fetchall()
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # rows whose check is still to come keep their indexes
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)
