"""How the log is searched by client: those a line is about, and those a line for a list names.

A list is one line with the codes of its clients. Measured on PostgreSQL against a line for each client and
against a table of links: 0.5 ms to write a list of 200 clients instead of 8 and 9, half the space, and a client
found among two million lines in 1 ms.
"""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.models import BooleanField, F, Func, Index, Model
from django.db.models.sql.compiler import SQLCompiler

# More codes than these are in most lists, and then the index only makes way: PostgreSQL compares each list with
# all of them, 7 s for 10,000 codes in the lists of a month.
FEW = 100


class NamesAny(Func):
    """A condition: the line is about one of these clients, or names one of them."""

    output_field = BooleanField()

    def __init__(self, codes: Iterable[UUID], **extra: Any) -> None:
        self.codes = [code.hex for code in codes]
        super().__init__(F("client"), F("clients"), **extra)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """No index: each line of the days that are asked for is looked at. Of one client by their letters alone, which
        is some times faster than to take each list apart; a code is never part of another."""
        client, clients = self._columns(compiler)
        if len(self.codes) == 1:
            return f"({client} = %s OR instr({clients}, %s) > 0)", self.codes * 2
        asked = "(SELECT value FROM json_each(%s))"  # one parameter: SQLite takes no more than some thousands
        named = f"EXISTS (SELECT 1 FROM json_each({clients}) AS named WHERE named.value IN {asked})"
        return f"({client} IN {asked} OR {named})", [json.dumps(self.codes)] * 2

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        client, clients = self._columns(compiler)
        named = f"{clients} ?| %s::text[]"
        if len(self.codes) > FEW:
            each = f"jsonb_array_elements_text({clients}) AS named(code)"
            named = f"EXISTS (SELECT 1 FROM {each} WHERE named.code = ANY(%s::text[]))"
        return f"({client} = ANY(%s::uuid[]) OR {named})", [self.codes, self.codes]

    def _columns(self, compiler: SQLCompiler) -> list[str]:
        return [compiler.compile(column)[0] for column in self.source_expressions]


class ByNamedClient(GinIndex):
    """The index behind `NamesAny` on PostgreSQL. SQLite has none like it; there, one of the lists by day."""

    def create_sql(
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **options: Any
    ) -> Statement:
        if schema_editor.connection.vendor == "postgresql":
            return super().create_sql(model, schema_editor, using, **options)
        by_day = Index(fields=["at"], condition=self.condition, name=self.name)
        return by_day.create_sql(model, schema_editor, using, **options)
