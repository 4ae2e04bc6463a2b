"""The pages about clients and their episodes, for the therapist and for the administrator.

They manage people: no page here shows a rating, a total or a flag.
"""

from uuid import UUID

from django.contrib import messages
from django.db.models import F, Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, managed_or_404, page
from alliance.erasures import Erasure
from alliance.form_pages import form_page, posted, written
from alliance.long_list import LongList
from alliance.models import Role, User
from alliance.stale_forms import StateForm
from clients import (
    actions,
    approved_records,
    client_rows,
    day_actions,
    duplicates,
    ending_page,
    merges,
    more_pages,
)
from clients.approval_pages import page_of_waiting
from clients.caseload_forms import CaseloadSearch, CaseloadTransferForm, EpisodeDaysForm
from clients.forms import ClientForm, ClientSearch, CloseForm, EpisodeForm, RegisterForm
from clients.models import Client, Cover, DayCorrection, Episode, EpisodeMove

PER_PAGE = 25


@require_safe
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    kind = CaseloadSearch if request.user.is_administrator else ClientSearch
    search = kind({"show": "open", **request.GET.dict()})
    rows = search.found_for(request.user).prefetch_related(_managed_episodes(request.user))
    clients = LongList(rows, PER_PAGE).page(request.GET.get("page"))
    context = {"clients": clients, "rows": client_rows.drawn_rows(clients, request.user), "search": search}
    if not request.htmx:
        context["more_pages"] = more_pages.links(request.user)
    if request.user.is_administrator and not request.htmx:  # a search in place leaves the hints as they are
        context |= {"duplicates": duplicates.how_many(), "unseen": Episode.objects.unseen().count()}
    return render(request, "clients/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def register(request: StaffRequest) -> HttpResponse:
    form = RegisterForm(posted(request), by=request.user)
    if episode := written(form, actions.register_client, by=request.user):
        messages.success(request, f"{episode.client} is registered.")
        if episode.therapist == request.user:
            return redirect("dashboard:client", episode.code)
        return redirect("clients:client", episode.client_code)
    return form_page(request, "clients/register.html", form)


@require_safe
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def client(request: StaffRequest, code: UUID) -> HttpResponse:
    one = _client_or_404(request, code, looked_at=True)
    if one.code != code:
        return redirect("clients:client", one.code)
    context = {
        "client": one,
        "may_change": _may_change(request.user, one),
        "earlier": _earlier_labels(one),
        "treats": any(episode.therapist_id == request.user.pk for episode in one.managed),  # type: ignore[attr-defined]
        "erasure": Erasure.objects.open().filter(client=one.code).first(),
    }
    if request.user.is_administrator:
        context["changes"] = merges.changes_of(one)
    return render(request, "clients/client.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def change(request: StaffRequest, code: UUID) -> HttpResponse:
    one = _client_or_404(request, code)
    form = ClientForm(posted(request), by=request.user, client=one)
    if not _may_change(request.user, one):
        return render(request, "clients/read_only.html", {"client": one}, status=403)
    if written(form, actions.change_client, client=one, by=request.user):
        messages.success(request, "The details are saved.")
        return redirect("clients:client", code)
    return form_page(request, "clients/change.html", form, client=one)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def open_episode(request: StaffRequest, code: UUID) -> HttpResponse:
    one = _client_or_404(request, code)
    form = EpisodeForm(posted(request), by=request.user)
    if episode := written(form, approved_records.open_episode, client=one, by=request.user):
        if waits := page_of_waiting(request, episode):
            return waits
        messages.success(request, f"The episode with {episode.therapist} is open.")
        return redirect("clients:client", code)
    return form_page(request, "clients/open_episode.html", form, client=one)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def close_episode(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = _episode_or_404(request, code)
    form = CloseForm(ending_page.with_offered_day(posted(request), "closed_on"))
    if written(form, actions.close_episode, episode=episode, by=request.user):
        done = f"The episode with {episode.therapist} is closed."
        messages.success(request, " ".join([done, *ending_page.became(episode)]))
        return redirect("clients:client", episode.client_code)
    page = ending_page.read([episode], form, "closed_on", request.user)
    return form_page(request, "clients/close_episode.html", form, episode=episode, ending=page)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def reopen_episode(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = _episode_or_404(request, code)
    form = StateForm(posted(request), row=episode.code, says=actions.how_it_ended(episode))
    if written(form, actions.reopen_episode, episode=episode, by=request.user):
        messages.success(request, f"The episode with {episode.therapist} is open again.")
        return redirect("clients:client", episode.client_code)
    return form_page(request, "clients/reopen_episode.html", form, episode=episode)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def transfer_episode(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = _episode_or_404(request, code)
    data = ending_page.with_offered_day(posted(request), "on")
    form = CaseloadTransferForm(data, episodes=[episode])
    if made := written(form, approved_records.transfer, by=request.user):
        if waits := page_of_waiting(request, made):
            return waits
        (move,) = form.cleaned_data["moves"]
        done = f"{episode.client} is now with {move.therapist}."
        messages.success(request, " ".join([done, *ending_page.became(episode)]))
        return redirect("clients:client", episode.client_code)
    page = ending_page.read([episode], form, "on", request.user)
    return form_page(request, "clients/transfer_episode.html", form, episode=episode, ending=page)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def correct_days(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = _episode_or_404(request, code)
    form = EpisodeDaysForm(posted(request), episode=episode)
    if written(form, day_actions.correct_days, episode=episode, by=request.user):
        messages.success(
            request, "The days are corrected. What stood before is kept below, with your reason."
        )
        return redirect("clients:client", episode.client_code)
    return form_page(request, "clients/correct_days.html", form, episode=episode)


def _managed_episodes(user: User, *, in_full: bool = False) -> Prefetch:  # type: ignore[type-arg]
    """As `client.managed`, the open ones first: a colleague's episode with the same client stays unknown."""
    newest_first = (F("closed_on").desc(nulls_first=True), "-opened_on")
    corrected = DayCorrection.objects.select_related("corrected_by")
    covers = Cover.objects.not_over().select_related("colleague").order_by("starts_on", "pk")
    rows = Episode.objects.managed_by(user).select_related("therapist").order_by(*newest_first)
    if in_full:
        rows = rows.prefetch_related(
            Prefetch("day_corrections", corrected), Prefetch("covers", covers, to_attr="coming_covers")
        )
    return Prefetch("episodes", rows, to_attr="managed")


def _client_or_404(request: StaffRequest, code: UUID, *, looked_at: bool = False) -> Client:
    """A client of whom this person manages an episode, however long it is over: the list leads here.

    The code of a record that was merged leads to the one that was kept.
    """
    merged = Client.objects.filter(code=code, merged_into__isnull=False)
    code = merged.values_list("merged_into__code", flat=True).first() or code
    rows = Client.objects.prefetch_related(_managed_episodes(request.user, in_full=looked_at))
    found: Client = managed_or_404(request, rows, code, looked_at=looked_at)
    return found


def _episode_or_404(request: StaffRequest, code: UUID) -> Episode:
    rows = Episode.objects.managed_by(request.user).select_related("client", "therapist")
    return get_object_or_404(rows, code=code)


def _earlier_labels(client: Client) -> list[str]:
    """Under which other labels this person knew the client: a colleague's label stays unknown."""
    moves = EpisodeMove.objects.standing().filter(episode__in=client.managed)  # type: ignore[attr-defined]
    labels = moves.order_by("from_client__label_key").values_list("from_client__label", flat=True)
    return [label for label in dict.fromkeys(labels) if label != client.label]


def _may_change(user: User, client: Client) -> bool:
    """A therapist whose last episode is over no longer changes what the next one relies on."""
    return user.is_administrator or any(episode.is_open for episode in client.managed)  # type: ignore[attr-defined]
