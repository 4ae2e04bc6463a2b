"""A query that is put together once and asked with other values: alone, or as the inner one of many others.

Django takes several times as long to put such a query together as the database to answer it. It stays
written with querysets, so that each rule is written once.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

Row = TypeVar("Row", bound=Model)
# Values that no row has; each stands for one place until the real ones come.
_SOME_MOMENT = datetime(1950, 1, 1, 1, 1, 1, 111, tzinfo=UTC)
_SOME_TEXT = "stands for text "
_SOME_NUMBER = 0x51_0D5_F0A_1D


class _PutTogetherOnce(Generic[Row]):
    """`write` gives the queryset for values of these kinds (`str`, `int`, `date`, `datetime` or `UUID`), given by name.

    Values must go into the query as they are: what `write` works out of one would stay as it was the first time.
    """

    def __init__(self, write: Callable[..., QuerySet[Row, Any]], **kinds: type) -> None:
        self.write = write
        self.stands_for = {name: _stand_in(kind, place) for place, (name, kind) in enumerate(kinds.items())}
        self.model: Any = None
        self.sql = ""
        self.values: tuple[Any, ...] = ()

    def with_values(self, **values: Any) -> list[Any]:
        """The parameters of `sql`, with these values in their places. It puts the query together the first time."""
        if self.model is None:
            self._put_together()
        real = {_as_sent(self.stands_for[name]): _as_sent(value) for name, value in values.items()}
        return [real.get(value, value) for value in self.values]

    def _put_together(self) -> None:
        query = self.write(**self.stands_for).query
        self.sql, self.values = self._compiled(query)
        missing = [name for name, value in self.stands_for.items() if _as_sent(value) not in self.values]
        if missing:
            raise TypeError(f"The query does not ask for {', '.join(missing)} as given.")
        self.model = query.model

    def _compiled(self, query: Any) -> tuple[str, tuple[Any, ...]]:
        """The SQL with its parameters, the stand-ins among them."""
        sql, values = query.sql_with_params()
        return sql, values


class Prepared(_PutTogetherOnce[Row]):
    """A query that is asked alone. The rows come without what `select_related` brings."""

    def first(self, **values: Any) -> Row | None:
        """The first row, or None; with nothing else in the order than `write` says."""
        return next(iter(self.rows(**values)), None)

    def rows(self, **values: Any) -> list[Row]:
        """All rows, in the order that `write` says."""
        given = self.with_values(**values)
        found: list[Row] = list(self.model._default_manager.raw(self.sql, given))
        return found


class PreparedValues(_PutTogetherOnce[Any]):
    """A query of columns (`values_list`) that is asked alone; each row is a tuple, as Django itself would give it."""

    converters: dict[int, Any]

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """All rows, in the order that `write` says."""
        given = self.with_values(**values)
        with connection.cursor() as cursor:
            cursor.execute(self.sql, given)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return [self._converted(row) for row in rows] if self.converters else rows

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return tuple(values)

    def _compiled(self, query: Any) -> tuple[str, tuple[Any, ...]]:
        compiler = query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        self.converters = compiler.get_converters([column for column, *_ in compiler.select])
        return sql, values


class PreparedKeys(_PutTogetherOnce[Any]):
    """A query of one column, to stand behind `__in` in others: `filter(pk__in=KEYS.of(user=user.pk))`."""

    def of(self, **values: Any) -> RawSQL:
        """The inner query with these values."""
        given = self.with_values(**values)
        return RawSQL(self.sql, given)  # noqa: S611 - put together by Django, with parameters


def _stand_in(kind: type, place: int) -> Any:
    if kind is UUID:
        return UUID(int=_SOME_NUMBER + place)
    if kind is str:
        return f"{_SOME_TEXT}{place}"
    if kind is int:
        return _SOME_NUMBER + place
    moment = _SOME_MOMENT + timedelta(days=place)
    return moment if kind is datetime else moment.date()


def _as_sent(value: Any) -> Any:
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value
