"""A line of the access log where somebody who is signed in was refused a page, or asked too often.

A row of somebody else and one that is not there take the same way here, statement by statement: neither the answer
nor its time tells which it was.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alliance import audit, navigation
from alliance.access import CLIENT, PUBLIC, ROOM, rule_of
from alliance.models import Role

# The log can never be shortened: whoever asks all night adds a line a minute for each part of the site, no more.
QUIET_FOR = 60
_NOT_THEIRS, _FOR_OTHERS, _TOO_OFTEN = "not theirs", "for others", "too often"
_BY_STATUS = {404: _NOT_THEIRS, 429: _TOO_OFTEN}

# Tells which client a code in an address is about. The app of the clients puts it here.
client_of_code: list[Callable[[UUID], UUID | None]] = []


def for_others(request: HttpRequest, roles: Iterable[Role]) -> HttpResponse:
    """The answer to somebody who holds none of the roles a page is for."""
    context = {
        "for_roles": sorted(role.label.lower() for role in roles),
        "places_of_staff": list(navigation.places(request)),
    }
    response = render(request, "403.html", context, status=403)
    response.refusal = _FOR_OTHERS  # type: ignore[attr-defined]
    return response


def note(request: HttpRequest, response: HttpResponse) -> None:
    """Write the line, if the answer is a refusal to somebody who is signed in. An address of no page is none."""
    why = _BY_STATUS.get(response.status_code) or getattr(response, "refusal", "")
    match = request.resolver_match
    if not why or match is None or rule_of(match.func, match.url_name) in (CLIENT, PUBLIC, ROOM):
        return
    if not request.user.is_authenticated:
        return
    part = match.namespace or str(match.url_name)
    if not cache.add(f"refused:{request.user.pk}:{part}:{why.replace(' ', '-')}", True, QUIET_FOR):
        return
    code = next((value for value in match.kwargs.values() if isinstance(value, UUID)), None)
    clients = [client for asked in client_of_code if code and (client := asked(code))]
    audit.refused(page=part, why=why, code=code, client=clients[0] if clients else None, by=request.user)
