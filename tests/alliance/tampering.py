"""What an owner of the database can do to the access log: the triggers are dropped, and put back afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from alliance import triggers
from alliance.models import AuditEvent, AuditSeal
from tests.site_role import left_here

LINES, SEALS = AuditEvent._meta.db_table, AuditSeal._meta.db_table


@contextmanager
def without_triggers() -> Iterator[None]:
    with left_here():
        with connection.cursor() as cursor:
            for trigger in triggers.declared(connection):
                if trigger.table in (LINES, SEALS):
                    cursor.execute(triggers.drop(connection, trigger))
        yield
        triggers.put_back(using=connection.alias)


def tamper(sql: str, *values: Any) -> None:
    """Run SQL past the triggers."""
    with without_triggers(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values or None)
