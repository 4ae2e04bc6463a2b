"""Where a person of staff can go from every page. Pages of staff are English (`alliance.languages`)."""

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from alliance.models import Role


class Place(NamedTuple):
    """An entry of the navigation. `current`: the value of aria-current, empty where one is elsewhere.

    waiting: how much waits there for this person.
    """

    label: str
    href: str
    current: str
    waiting: int = 0


_PLACES = (
    ("Work list", "dashboard:work_list", frozenset({Role.THERAPIST})),
    ("Caseload", "caseload:overview", frozenset({Role.SUPERVISOR})),
    ("Supervision", "supervision:agendas", frozenset({Role.THERAPIST, Role.SUPERVISOR})),
    ("Clients", "clients:list", frozenset({Role.THERAPIST, Role.ADMINISTRATOR})),
    ("Clinic", "clinic:people", frozenset({Role.ADMINISTRATOR})),
)
# Where the pages of other namespaces belong: the first of these that is a place of whoever is signed in.
_BELONGS_TO = {
    "marks": ("dashboard", "caseload"),
    "together": ("dashboard",),
    "records": ("clients",),
    "tablets": ("clinic", "dashboard"),
    "rules": ("dashboard", "caseload", "clinic"),
    "exports": ("dashboard", "caseload", "clinic"),
    "erasures": ("clinic", "clients"),
    "approvals": ("clinic", "dashboard", "caseload"),
    "instruments": ("clinic",),
    "plan": ("clinic",),
    "settings": ("clinic",),
    "health": ("clinic",),
    "import": ("clinic",),
    "groups": ("clients", "caseload"),
}


def places(request: HttpRequest) -> Iterator[Place]:
    """The entries for the roles of whoever is signed in; one is current on every page that belongs to it."""
    roles = frozenset(getattr(request.user, "roles", ()))
    own = [(label, page) for label, page, for_roles in _PLACES if not roles.isdisjoint(for_roles)]
    match = request.resolver_match
    here = match.namespace if match else ""
    namespaces = [page.partition(":")[0] for _, page in own]
    near = next((one for one in (here, *_BELONGS_TO.get(here, ())) if one in namespaces), "")
    for label, page in own:
        href = reverse(page)
        is_near = page.partition(":")[0] == near
        waiting = getattr(request.user, "approvals_waiting", 0) if page == "clinic:people" else 0
        yield Place(label, href, ("page" if request.path == href else "true") if is_near else "", waiting)


def is_account(request: HttpRequest) -> bool:
    """Whether the page is about the account of whoever is signed in: no place has those, the menu beside them has."""
    return request.path.startswith(reverse("account_security").partition("security")[0])
