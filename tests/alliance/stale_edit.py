"""A page of staff that changes what is stored, and how it gets stale."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Edit:
    """A page that changes what is stored. meanwhile: what somebody else does after it was opened.

    shows: words of both versions; kept: what holds after the second press, of theirs and of ours.
    """

    row: Callable[[Any], object]
    meanwhile: Callable[[Any], object]
    shows: tuple[str, ...]
    kept: Callable[[Any], object]
    typed: Mapping[str, Any] = field(default_factory=dict)
    who: str = "adam"
    query: Callable[[Any], str] = lambda world: ""
