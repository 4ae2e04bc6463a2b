"""The administrator's pages on which clients change hands: choose, look, transfer, and take it back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance.access import StaffRequest, page
from alliance.form_pages import form_page, written
from alliance.models import Role
from alliance.refused import Refused
from clients import approved_records, caseload_transfer, ending_page
from clients.approval_pages import page_of_waiting
from clients.caseload_forms import CaseloadSearch, CaseloadTransferForm
from clients.models import CaseloadTransfer, Episode, EpisodeClosing, EpisodeQuerySet

# More than anybody looks through on one page, and no therapist treats so many at once.
AT_ONCE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def transfer(request: StaffRequest) -> HttpResponse:
    """The clients that were ticked in the list, or all that match its search: to whom, and from which day."""
    chosen = _chosen(request).select_related("client", "therapist").order_by("client__label", "pk")
    episodes = list(chosen[: AT_ONCE + 1])
    if not episodes:
        messages.warning(request, "No client with an open episode is chosen. Tick some in the list first.")
        return redirect("clients:list")
    is_cut = len(episodes) > AT_ONCE
    episodes = episodes[:AT_ONCE]
    is_sent = request.method == "POST" and "episode" in request.POST
    data = ending_page.with_offered_day(request.POST, "on") if is_sent else None
    form = CaseloadTransferForm(data, episodes=episodes)
    if is_sent and (gone := _closed_meanwhile(request)):
        form.add_error(
            None, f"{gone} was closed or transferred meanwhile and is left out. Nothing is done yet."
        )
    elif made := written(form, approved_records.transfer, by=request.user):
        if waits := page_of_waiting(request, made):
            return waits
        return redirect("clients:transferred", made.code)
    page = ending_page.read(episodes, form, "on", request.user)
    by_episode = {row.episode: row for row in page.rows}
    rows = [(by_episode[episode], field) for episode, field in form.rows()]
    return form_page(
        request, "clients/transfer.html", form, ending=page, rows=rows, is_cut=is_cut, at_once=AT_ONCE
    )


def _chosen(request: StaffRequest) -> EpisodeQuerySet:
    """The open episodes that a page names: itself by its rows, the list by its ticks or by its search."""
    asked: QueryDict = request.POST if request.method == "POST" else request.GET
    rows = Episode.objects.managed_by(request.user).open()
    if "episode" in asked:
        return rows.filter(code__in=_codes(asked, "episode"))
    search = CaseloadSearch({**asked.dict(), "show": "unseen" if asked.get("show") == "unseen" else "open"})
    matching = search.managed(request.user).open()
    if "all" in asked:
        return matching.filter(client__in=search.found_for(request.user).order_by().values("pk"))
    return matching.filter(client__code__in=_codes(asked, "client"))


def _closed_meanwhile(request: StaffRequest) -> str:
    """The clients whom the page named and whose episode is over by now."""
    named = Episode.objects.managed_by(request.user).filter(code__in=_codes(request.POST, "episode"))
    closed = named.filter(closed_on__isnull=False).select_related("client").order_by("client__label", "pk")
    return ", ".join(str(episode.client) for episode in closed)


def _codes(asked: QueryDict, name: str) -> list[UUID]:
    found = []
    for text in asked.getlist(name):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


@require_safe
@page(Role.ADMINISTRATOR)
def transferred(request: StaffRequest, code: UUID) -> HttpResponse:
    """Who went to whom, what became of what was still out, and the way back."""
    made = get_object_or_404(CaseloadTransfer.objects.select_related("made_by", "undone_by"), code=code)
    rows = list(made.episodes.select_related("episode__client", "episode__therapist", "therapist"))
    standing = EpisodeClosing.objects.filter(episode__in=[row.episode_id for row in rows], undone_at=None)
    closings = {closing.episode_id: closing for closing in standing}
    context = {
        "made": made,
        "rows": [(row, closings.get(row.episode_id)) for row in rows],
        "can_be_undone": caseload_transfer.can_be_undone(made),
    }
    return render(request, "clients/transferred.html", context)


@require_POST
@page(Role.ADMINISTRATOR)
def undo_transfer(request: StaffRequest, code: UUID) -> HttpResponse:
    made = get_object_or_404(CaseloadTransfer, code=code)
    try:
        caseload_transfer.undo(made=made, by=request.user)
        messages.success(request, "Taken back: every client is with their former therapist again.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("clients:transferred", code)
