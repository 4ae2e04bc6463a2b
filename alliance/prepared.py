"""A query that is put together once and asked with other values, for what open pages ask every few seconds.

Django takes several times as long to put such a query together as the database to answer it. It stays
written with querysets, so that each rule is written once.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
# Values that no row has; each stands for one place until the real ones come.
_SOME_MOMENT = datetime(1950, 1, 1, 1, 1, 1, 111, tzinfo=UTC)
_SOME_TEXT = "stands for text "
_SOME_NUMBER = 0x51_0D5_F0A_1D


class Prepared(Generic[Row]):
    """`write` gives the queryset for values of these kinds (`str`, `datetime` or `UUID`), given by name.

    Values must go into the query as they are: what `write` works out of one would stay as it was the first time.
    The rows come without what `select_related` brings.
    """

    def __init__(self, write: Callable[..., QuerySet[Row]], **kinds: type) -> None:
        self.write = write
        self.stands_for = {name: _stand_in(kind, place) for place, (name, kind) in enumerate(kinds.items())}
        self.model: Any = None
        self.sql = ""
        self.values: tuple[Any, ...] = ()

    def first(self, **values: Any) -> Row | None:
        """The first row, or None; with nothing else in the order than `write` says."""
        return next(iter(self.rows(**values)), None)

    def rows(self, **values: Any) -> list[Row]:
        """All rows, in the order that `write` says."""
        if self.model is None:
            self._put_together()
        assert self.model is not None
        real = {_as_sent(self.stands_for[name]): _as_sent(value) for name, value in values.items()}
        given = [real.get(value, value) for value in self.values]
        found: list[Row] = list(self.model._default_manager.raw(self.sql, given))
        return found

    def _put_together(self) -> None:
        query = self.write(**self.stands_for).query
        self.sql, self.values = query.sql_with_params()
        missing = [name for name, value in self.stands_for.items() if _as_sent(value) not in self.values]
        if missing:
            raise TypeError(f"The query does not ask for {', '.join(missing)} as given.")
        self.model = query.model


def _stand_in(kind: type, place: int) -> Any:
    if kind is UUID:
        return UUID(int=_SOME_NUMBER + place)
    return _SOME_MOMENT + timedelta(days=place) if kind is datetime else f"{_SOME_TEXT}{place}"


def _as_sent(value: Any) -> Any:
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
