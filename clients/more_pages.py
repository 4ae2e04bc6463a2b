"""Links that other rooms add to the head of a list of people or of a course, for whoever has something there.

`clients` never imports `sessions_app`: its rooms register here what they know.
"""

from collections.abc import Callable
from typing import NamedTuple

from alliance.models import User
from clients.models import Episode


class Link(NamedTuple):
    label: str
    href: str


LinksOfCourse = Callable[[User, Episode], list[Link]]
LinkFor = Callable[[User], "Link | None"]
_registered: list[LinkFor] = []
_registered_of_course: list[LinksOfCourse] = []


def register(link_for: LinkFor) -> None:
    if link_for not in _registered:
        _registered.append(link_for)


def links(user: User) -> list[Link]:
    """What stands there for this person; one query for each that is registered."""
    return [link for link_for in _registered if (link := link_for(user))]


def register_of_course(links_of: LinksOfCourse) -> None:
    if links_of not in _registered_of_course:
        _registered_of_course.append(links_of)


def of_course(user: User, episode: Episode) -> list[Link]:
    """What stands at a course for this person; one query for each that is registered."""
    return [link for links_of in _registered_of_course for link in links_of(user, episode)]
