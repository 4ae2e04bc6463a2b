"""Links that other rooms add to the head of a list of people, for whoever has something there.

`clients` never imports `sessions_app`: its rooms register here what they know.
"""

from collections.abc import Callable
from typing import NamedTuple

from alliance.models import User


class Link(NamedTuple):
    label: str
    href: str


LinkFor = Callable[[User], "Link | None"]
_registered: list[LinkFor] = []


def register(link_for: LinkFor) -> None:
    if link_for not in _registered:
        _registered.append(link_for)


def links(user: User) -> list[Link]:
    """What stands there for this person; one query for each that is registered."""
    return [link for link_for in _registered if (link := link_for(user))]
