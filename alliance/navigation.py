"""Where a person of staff can go from every page. Pages of staff are English (`alliance.languages`)."""

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from alliance.models import Role


class Place(NamedTuple):
    """An entry of the navigation. `current`: the value of aria-current, empty where one is elsewhere."""

    label: str
    href: str
    current: str


_PLACES = (
    ("Work list", "dashboard:work_list", frozenset({Role.THERAPIST})),
    ("Caseload", "caseload:overview", frozenset({Role.SUPERVISOR})),
    ("Supervision", "supervision:agendas", frozenset({Role.THERAPIST, Role.SUPERVISOR})),
    ("Clients", "clients:list", frozenset({Role.THERAPIST, Role.ADMINISTRATOR})),
    ("Clinic", "clinic:people", frozenset({Role.ADMINISTRATOR})),
)


def places(request: HttpRequest) -> Iterator[Place]:
    """The entries for the roles of whoever is signed in; one is current on every page of its namespace."""
    match = request.resolver_match
    here = match.namespace if match else ""
    roles = frozenset(getattr(request.user, "roles", ()))
    for label, page, for_roles in _PLACES:
        if not roles.isdisjoint(for_roles):
            href = reverse(page)
            is_near = page.partition(":")[0] == here
            current = ("page" if request.path == href else "true") if is_near else ""
            yield Place(label, href, current)
