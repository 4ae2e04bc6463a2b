"""The memory of one process for finished pieces: the least recently used goes first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, ClassVar, Generic, TypeVar

Value = TypeVar("Value")
# Pieces of a client who was erased are never shown again (the page's query decides), and are gone from the memory
# of every process within this time; from that of the one that erased at once.
SECONDS_AT_MOST = 24 * 3600


class Kept(Generic[Value]):
    """Holds `most` values. Locked: keys hold UUIDs, whose comparison lets another thread in half-way."""

    every: ClassVar["list[Kept[Any]]"] = []

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._emptied_at = time.monotonic()
        self._lock = threading.Lock()
        self.every.append(self)

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            self._empty_if_old()
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._empty_if_old()
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)

    def values(self) -> list[Value]:
        with self._lock:
            return list(self._values.values())

    def clear(self) -> None:
        with self._lock:
            self._empty()

    def _empty_if_old(self) -> None:
        if time.monotonic() - self._emptied_at > SECONDS_AT_MOST:
            self._empty()

    def _empty(self) -> None:
        self._values.clear()
        self._emptied_at = time.monotonic()


def forget_everything() -> None:
    """Empty what this process keeps."""
    for kept in Kept.every:
        kept.clear()
