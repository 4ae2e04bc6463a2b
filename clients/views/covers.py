"""The pages about cover: who sees whose clients for a while, arranged, listed, ended."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page, visible_or_404
from alliance.form_pages import form_page, posted, written
from alliance.models import Role, User
from clients import approved_supervision, cover_actions
from clients.approval_pages import page_of_waiting
from clients.caseload_forms import CoverForm
from clients.forms import StaffField
from clients.models import Cover, Episode


@require_safe
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    """Cover now and to come: of the clients one manages, and what one covers oneself."""
    managed = Episode.objects.managed_by(request.user).order_by().values("pk")
    by_me = Cover.objects.filter(colleague=request.user)
    context = {
        "arrangements": cover_actions.arrangements(Cover.objects.filter(episode__in=managed)),
        "by_me": cover_actions.arrangements(by_me) if request.user.is_therapist else [],
    }
    return render(request, "clients/covers.html", context)


class _WhoseForm(forms.Form):
    therapist = StaffField(label="Whose clients", empty_label="Choose", required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def arrange(request: StaffRequest) -> HttpResponse:
    """A therapist chooses among their own open clients; an administrator says whose clients first."""
    whose = _WhoseForm(request.GET)
    therapist = whose.cleaned_data.get("therapist") if whose.is_valid() else None
    if not request.user.is_administrator or (therapist is None and request.user.is_therapist):
        therapist = request.user
    episodes = _to_choose(request, therapist)
    form = CoverForm(posted(request), by=request.user, episodes=episodes)
    if made := written(form, approved_supervision.start_cover, by=request.user):
        if waits := page_of_waiting(request, made):
            return waits
        first = made[0]
        some = "1 client" if len(made) == 1 else f"{len(made)} clients"
        messages.success(
            request,
            f"{first.colleague} sees {some} from {first.starts_on:%-d %B %Y} to {first.ends_on:%-d %B %Y}.",
        )
        return redirect("clients:covers")
    context = {"whose": whose if request.user.is_administrator else None, "therapist": therapist}
    return form_page(request, "clients/arrange_cover.html", form, episodes=episodes, **context)


def _to_choose(request: StaffRequest, therapist: User | None) -> "QuerySet[Episode]":
    """Those of one therapist that are open; or the one that an administrator's page about a client names."""
    rows = cover_actions.may_be_covered(request.user).select_related("client").order_by("client__label", "pk")
    if (named := request.GET.get("episode")) and request.user.is_administrator:
        try:
            return rows.filter(code=UUID(named))
        except ValueError as error:
            raise Http404 from error
    return rows.filter(therapist=therapist, closed_on__isnull=True)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def end(request: StaffRequest, code: UUID) -> HttpResponse:
    """End a cover now: for this client, or for all who were named with it."""
    managed = Episode.objects.managed_by(request.user).order_by().values("pk")
    mine = Cover.objects.filter(Q(episode__in=managed) | Q(made_by=request.user))
    rows = mine.not_over().select_related("episode__client", "episode__therapist", "colleague")
    if request.method == "POST" and mine.filter(code=code).exists() and not rows.filter(code=code).exists():
        messages.info(request, "This cover is over already.")
        return redirect("clients:covers")
    one = get_object_or_404(rows, code=code)
    together = list(rows.filter(made_together=one.made_together, episode__therapist=one.episode.therapist_id))
    if request.method == "POST":
        cover_actions.end(covers=[one] if "only" in request.POST else together, by=request.user)
        messages.success(request, f"{one.colleague} does not cover any more.")
        return redirect("clients:covers")
    return render(request, "clients/end_cover.html", {"cover": one, "together": together})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.SUPERVISOR)
def let_read(request: StaffRequest, code: UUID) -> HttpResponse:
    """A supervisor lets somebody read a course of a supervisee that is over."""
    supervised = Episode.objects.supervised_by(request.user).filter(closed_on__isnull=False)
    found = supervised.select_related("client", "therapist")
    episode: Episode = visible_or_404(request, found, code, looked_at=False)
    form = CoverForm(posted(request), by=request.user, episodes=Episode.objects.filter(pk=episode.pk))
    if made := written(form, approved_supervision.start_cover, by=request.user):
        if waits := page_of_waiting(request, made):
            return waits
        messages.success(request, f"{form.cleaned_data['colleague']} may read this course in those days.")
        return redirect("caseload:client", episode.code)
    return form_page(request, "caseload/let_read.html", form, episode=episode)
