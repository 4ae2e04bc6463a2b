"""The memory of one process for finished pieces: the least recently used goes first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, ClassVar, Generic, TypeVar

Value = TypeVar("Value")
# Pieces of a client who was erased are never shown again (the page's query decides). The process that erased forgets
# them at once, except one that another of its threads is drawing. Every other process forgets all pieces at the first
# request for any of them after this time: one that draws no page at all keeps them until then, or until it ends.
SECONDS_AT_MOST = 24 * 3600


class Kept(Generic[Value]):
    """Holds `most` values. Locked: keys hold UUIDs, whose comparison lets another thread in half-way."""

    every: ClassVar["list[Kept[Any]]"] = []
    emptied_at: ClassVar[float] = time.monotonic()  # all of them

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()
        self.every.append(self)

    def get(self, key: Hashable) -> Value | None:
        forget_what_is_old()
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: Value) -> None:
        forget_what_is_old()
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)

    def values(self) -> list[Value]:
        with self._lock:
            return list(self._values.values())

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


def forget_what_is_old() -> None:
    """Empty all that this process keeps, where that was done too long ago."""
    if time.monotonic() - Kept.emptied_at > SECONDS_AT_MOST:
        forget_everything()


def forget_everything() -> None:
    """Empty all that this process keeps."""
    Kept.emptied_at = time.monotonic()
    for kept in Kept.every:
        kept.clear()
