"""The search for a client from every page of staff: labels alone, each leading to the page its reader works with."""

from typing import NamedTuple

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from alliance.access import StaffRequest, page
from alliance.labels import key_asked_for, search_key
from alliance.models import Role, User
from clients.models import Client, Episode

MOST = 12  # more are not read: another letter finds fewer


class Found(NamedTuple):
    """One client who was found: where the label leads, and whose the course is."""

    label: str
    href: str
    about: str


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)
def find(request: StaffRequest) -> HttpResponse:
    """Those among the clients this person may see. The only one there is opens at once."""
    asked = " ".join(request.GET.get("q", "").split())[:40]
    found = _found(request.user, asked) if search_key(asked) else []
    if the_one := _the_one(found, asked):
        return HttpResponseClientRedirect(the_one.href) if request.htmx else redirect(the_one.href)
    context = {"asked": asked, "found": found[:MOST], "are_more": len(found) > MOST}
    return render(request, "clients/_found.html" if request.htmx else "clients/find.html", context)


def _the_one(found: list[Found], asked: str) -> Found | None:
    """The only one, or the only one whose whole label was typed."""
    if len(found) == 1:
        return found[0]
    exact = [one for one in found if search_key(one.label) == search_key(asked)]
    return exact[0] if len(exact) == 1 else None


def _found(user: User, asked: str) -> list[Found]:
    """One more than are shown at most. A course comes before the page of the office about the same client."""
    courses = _courses(user, asked)
    worked = set(
        Episode.objects.own(user).filter(pk__in=[one.pk for one in courses]).values_list("pk", flat=True)
    )
    found = [_as_course(user, one, is_own=one.pk in worked) for one in courses]
    if user.is_administrator:
        seen = {one.client_id for one in courses}
        rows = Client.objects.managed_by(user).with_label_like(asked).order_by("label_key")[: MOST + 1]
        found += [_as_client(one) for one in rows if one.pk not in seen]
    return found


def _courses(user: User, asked: str) -> list[Episode]:
    rows = Episode.objects.visible_to(user).filter(client__label_key__contains=key_asked_for(asked))
    # The newest course first: of a client who came back it is that one that is looked for.
    rows = rows.select_related("client", "therapist").order_by("client__label_key", "-opened_on")
    return list(rows[: MOST + 1])


def _as_course(user: User, episode: Episode, *, is_own: bool) -> Found:
    name = "dashboard:client" if is_own else "caseload:client"
    about = "" if is_own and episode.therapist_id == user.pk else f"with {episode.therapist}"
    if episode.closed_on:
        about = f"{about}, closed" if about else "closed"
    return Found(episode.client.label, reverse(name, args=[episode.code]), about)


def _as_client(client: Client) -> Found:
    return Found(client.label, reverse("clients:client", args=[client.code]), "")
