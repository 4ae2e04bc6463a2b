"""The page that therapist and client look at together: "you said, we changed". Nothing of a flag is in it."""

from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.views.decorators.http import require_safe

from alliance import audit
from alliance.access import StaffRequest, page
from alliance.log_events import LogEvent
from alliance.models import Role
from clients.models import Episode
from sessions_app.conversations import together
from sessions_app.instruments import client_form


@require_safe
@page(Role.THERAPIST)
def choose(request: StaffRequest, code: UUID) -> HttpResponse:
    """The therapist's own look beforehand: which entries to show. The choice goes into the address alone."""
    episode = _own(request, code)
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, episode, by=request.user, client=episode.client_code)
    context = {
        "episode": episode,
        "back": _back(request, episode),
        "entries": together.entries(episode),
        "spoken_in": client_form.NAMES[_spoken(episode)],
    }
    return render(request, "together/choose.html", context)


@require_safe
@page(Role.THERAPIST)
def show(request: StaffRequest, code: UUID) -> HttpResponse:
    """What was chosen, in the client's language. Without a choice of entries there is nothing to show yet."""
    episode = _own(request, code)
    if "chosen" not in request.GET:
        return redirect("together:choose", episode.code)
    with transaction.atomic():
        audit.record(LogEvent.SHOWN_TOGETHER, episode, by=request.user, client=episode.client_code)
    back = _back(request, episode)
    with translation.override(_spoken(episode)):
        shown = together.read(episode, frozenset(request.GET.getlist("show")))
        context = {"episode": episode, "back": back, "together": shown}
        return render(request, "together/show.html", context)


def _spoken(episode: Episode) -> str:
    """The client's language; where the clinic has switched it off, the nearest of those that it gives."""
    return client_form.in_force().spoken_to(episode.client.language)


def _own(request: StaffRequest, code: UUID) -> Episode:
    """One's own, or an earlier course of one's client, who agreed to it."""
    rows = Episode.objects.looked_at_together_by(request.user)
    return get_object_or_404(rows.select_related("client", "therapist"), code=code)


def _back(request: StaffRequest, episode: Episode) -> Episode:
    """The course that the reader works with: this one, or that in which the client agreed to look at this one."""
    own = Episode.objects.own(request.user)
    if own.filter(pk=episode.pk).exists():
        return episode
    return own.open().filter(consents_to_earlier__earlier=episode).order_by("-pk")[0]
