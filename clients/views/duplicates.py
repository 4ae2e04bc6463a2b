"""The administrator's pages about records of one person: found, merged, moved, and taken back.

They show labels, therapists and episodes, and nothing that was marked, found or said.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from clients import approved_records, duplicates, merge_actions
from clients.approval_pages import page_of_waiting
from clients.merge_forms import MergeForm, MoveForm, RecordSearch
from clients.merges import UNDO_FOR, can_be_undone, episodes_of, in_the_way, undo_until, with_episodes
from clients.models import Client, ClientMerge, DifferentClients, Episode, EpisodeMove

PER_PAGE = 25
AT_MOST_FOUND = 25


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    pairs = duplicates.possible_duplicates()
    since = timezone.now() - UNDO_FOR
    merges = ClientMerge.objects.standing().filter(merged_at__gte=since)
    context = {
        "pairs": Paginator(pairs, PER_PAGE).get_page(request.GET.get("page")),
        "is_cut": len(pairs) == duplicates.MOST,
        "merges": merges.select_related("kept", "merged", "merged_by"),
        "told_apart": DifferentClients.objects.select_related("first", "second", "noted_by")[:PER_PAGE],
    }
    return render(request, "clinic/duplicates.html", context)


# --- Merging -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def merge(request: StaffRequest, code: UUID) -> HttpResponse:
    """Choose the other record, look at what each has, say which one stays."""
    one = get_object_or_404(with_episodes(duplicates.listed()), code=code)
    other = _chosen(request)
    if other is None or other == one:
        return _choose(request, one, question=f"Which record is also of {one}?")
    form = MergeForm(posted(request), one=one, other=other)
    if done := written(form, approved_records.merge_clients, by=request.user):
        if waits := page_of_waiting(request, done):
            return waits
        messages.success(request, f"{done.merged} is merged into {done.kept}.")
        return redirect("clients:client", done.kept.code)
    stuck = in_the_way(episodes_of(one), episodes_of(other))
    context = {"one": one, "other": other, "stuck": stuck, "days": UNDO_FOR.days}
    return form_page(request, "clients/merge.html", form, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def undo_merge(request: StaffRequest, code: UUID) -> HttpResponse:
    rows = ClientMerge.objects.select_related("kept", "merged", "merged_by")
    one = get_object_or_404(rows, code=code)
    form = forms.Form(posted(request))
    if written(form, merge_actions.undo_merge, merge=one, by=request.user):
        messages.success(request, f"{one.merged} and {one.kept} are two records again.")
        return redirect("clients:client", one.merged.code)
    episodes = Episode.objects.select_related("therapist").order_by("opened_on", "pk")
    context = {
        "merge": one,
        "returning": episodes.filter(moves__merge=one),
        "staying": episodes.filter(client=one.kept).exclude(moves__merge=one),
    }
    return form_page(request, "clients/undo_merge.html", form, **context, **_until(one, one.merged_at))


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def tell_apart(request: StaffRequest, code: UUID) -> HttpResponse:
    if request.method == "POST" and (merged := _merged_meanwhile(code, _named(request))):
        messages.warning(request, f"{merged} was merged with another record meanwhile. Nothing was noted.")
        return redirect("clinic:duplicates")
    one, other = get_object_or_404(duplicates.listed(), code=code), _chosen(request)
    if other is None:
        raise Http404
    form = forms.Form(posted(request))
    if written(form, merge_actions.tell_apart, one=one, other=other, by=request.user):
        messages.success(request, f"{one} and {other} are noted as two people.")
        return redirect("clinic:duplicates")
    return form_page(request, "clients/tell_apart.html", form, one=one, other=other)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def undo_telling_apart(request: StaffRequest, code: UUID) -> HttpResponse:
    rows = DifferentClients.objects.select_related("first", "second")
    if request.method == "POST" and not rows.filter(code=code).exists():
        messages.info(request, "These two are compared again already: somebody took the note back meanwhile.")
        return redirect("clinic:duplicates")
    told = get_object_or_404(rows, code=code)
    form = forms.Form(posted(request))
    if form.is_valid():
        merge_actions.undo_telling_apart(told=told, by=request.user)
        messages.success(request, f"{told.first} and {told.second} are compared again.")
        return redirect("clinic:duplicates")
    return form_page(request, "clients/undo_telling_apart.html", form, told=told)


# --- One episode ---------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def move_episode(request: StaffRequest, code: UUID) -> HttpResponse:
    """Choose the record that an episode belongs to, and say why."""
    episode = get_object_or_404(Episode.objects.select_related("client", "therapist"), code=code)
    to = _chosen(request)
    if to is None or to == episode.client:
        question = f"Where does the episode of {episode.client} with {episode.therapist} belong?"
        return _choose(request, episode.client, question=question)
    form = MoveForm(posted(request), episode=episode)
    if made := written(form, approved_records.move_episode, episode=episode, to=to, by=request.user):
        if waits := page_of_waiting(request, made):
            return waits
        messages.success(request, f"The episode with {episode.therapist} is now under {to}.")
        return redirect("clients:client", to.code)
    return form_page(request, "clients/move_episode.html", form, episode=episode, to=to, days=UNDO_FOR.days)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def undo_move(request: StaffRequest, code: UUID) -> HttpResponse:
    rows = EpisodeMove.objects.select_related("episode__therapist", "from_client", "to_client", "moved_by")
    move = get_object_or_404(rows, code=code, merge=None)
    form = forms.Form(posted(request))
    if written(form, merge_actions.undo_move, move=move, by=request.user):
        messages.success(
            request, f"The episode with {move.episode.therapist} is under {move.from_client} again."
        )
        return redirect("clients:client", move.from_client.code)
    return form_page(request, "clients/undo_move.html", form, move=move, **_until(move, move.moved_at))


# --- Pieces --------------------------------------------------------------------------------------


def _chosen(request: StaffRequest) -> Client | None:
    """The other record, as the page that was left names it; a 404 where there is none with this code."""
    code = _named(request)
    if code is None:
        return None
    found: Client = get_object_or_404(with_episodes(duplicates.listed()), code=code)
    return found


def _named(request: StaffRequest) -> UUID | None:
    named = request.GET.get("other")
    try:
        return UUID(named) if named else None
    except ValueError as error:
        raise Http404 from error


def _merged_meanwhile(*codes: UUID | None) -> Client | None:
    """The one of these records that is in no list any more."""
    return Client.objects.filter(code__in=[one for one in codes if one], merged_into__isnull=False).first()


def _choose(request: StaffRequest, one: Client, *, question: str) -> HttpResponse:
    search = RecordSearch(request.GET)
    found = with_episodes(search.found_beside(one))[:AT_MOST_FOUND]
    context = {"client": one, "question": question, "search": search, "records": found}
    return render(request, "clients/choose_record.html", context)


def _until(row: ClientMerge | EpisodeMove, at: Any) -> dict[str, Any]:
    return {"can_be_undone": can_be_undone(row), "undo_until": undo_until(at)}
