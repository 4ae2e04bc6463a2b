"""Agendas of meetings between a supervisor and a therapist, for those two."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance import audit
from alliance.access import StaffRequest, page, visible_or_404
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.models import Role
from alliance.refused import Refused
from sessions_app.dashboards import agenda_lines, caseload
from sessions_app.supervision import agenda_actions as actions
from sessions_app.supervision.agendas import Agenda, AgendaItem
from sessions_app.supervision.forms import AgendaItemForm, MeetingForm

PER_PAGE = 50
BOTH = (Role.THERAPIST, Role.SUPERVISOR)


@require_safe
@page(*BOTH)
def listing(request: StaffRequest) -> HttpResponse:
    """The meetings of this person, the latest day first, and whom a supervisor can prepare the next one with."""
    rows = Agenda.objects.visible_to(request.user).select_related("supervisor", "therapist")
    found = Paginator(rows.order_by("-held_on", "therapist__name_key", "pk"), PER_PAGE)
    context = {
        "agendas": found.get_page(request.GET.get("page")),
        "supervisees": caseload.supervisees_of(request.user) if request.user.is_supervisor else [],
    }
    return render(request, "supervision/agendas.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.SUPERVISOR)
def make(request: StaffRequest, code: UUID) -> HttpResponse:
    """Prepare a meeting with one supervisee: the agenda is made of the caseload as it is now."""
    therapist = get_object_or_404(caseload.supervisees_of(request.user), pk=code)
    form = MeetingForm(posted(request))
    found = agenda_lines.proposals(request.user, therapist, timezone.now())
    made = written(form, actions.make_agenda, therapist=therapist, proposals=found, by=request.user)
    if made:
        return redirect("supervision:agenda", made.code)
    return form_page(request, "supervision/make_agenda.html", form, therapist=therapist, many=len(found))


@require_safe
@page(*BOTH)
def agenda(request: StaffRequest, code: UUID) -> HttpResponse:
    """One meeting: its items in the order that the two gave them."""
    found = _visible(request, code)
    return _shown(request, found, _item_form(request, found))


@require_POST
@page(*BOTH)
def add(request: StaffRequest, code: UUID) -> HttpResponse:
    """A line of one's own."""
    found = _visible(request, code)
    form = _item_form(request, found)
    item = written(form, actions.add_item, agenda=found, by=request.user)
    return redirect(_at(item)) if item else _shown(request, found, form)


@require_POST
@page(Role.SUPERVISOR)
def fill(request: StaffRequest, code: UUID) -> HttpResponse:
    """What came up since it was made, added at the end."""
    found = _visible(request, code)
    news = agenda_lines.proposals(request.user, found.therapist, timezone.now())
    try:
        came = actions.fill_agenda(agenda=found, proposals=news, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        said = f"{came} added at the end." if came else "Nothing new came up: all of it is on the agenda."
        messages.success(request, said)
    return redirect("supervision:agenda", found.code)


@require_POST
@page(*BOTH)
def change(request: StaffRequest, code: UUID) -> HttpResponse:
    """One press at one item: up, down, ticked, taken off. Each says what it makes of it, so that twice is once."""
    rows = AgendaItem.objects.select_related("agenda")
    item: AgendaItem = visible_or_404(request, rows, code, looked_at=False)
    wanted = request.POST.get("do", "")
    try:
        if wanted not in PRESSES:
            raise Refused("Choose one of the buttons.")
        action, how = PRESSES[wanted]
        action(item=item, by=request.user, **how)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(_at(item, wanted))


PRESSES: dict[str, tuple[Any, dict[str, bool]]] = {
    "up": (actions.move_item, {"up": True}),
    "down": (actions.move_item, {"up": False}),
    "tick": (actions.tick_item, {"ticked": True}),
    "untick": (actions.tick_item, {"ticked": False}),
    "remove": (actions.remove_item, {}),
    "put-back": (actions.put_back_item, {}),
}


def _visible(request: StaffRequest, code: UUID) -> Agenda:
    rows = Agenda.objects.select_related("supervisor", "therapist")
    found: Agenda = visible_or_404(request, rows, code, looked_at=False)
    return found


def _item_form(request: StaffRequest, found: Agenda) -> AgendaItemForm:
    courses = agenda_lines.courses_of(found, request.user).open().select_related("client")
    return AgendaItemForm(posted(request), courses=courses.order_by("client__label_key"))


def _at(item: AgendaItem, pressed: str = "") -> str:
    """The page where the press was: the same button has the focus again, for whoever presses it five times."""
    place = f"{pressed}-{item.code}" if pressed in {"up", "down"} else f"item-{item.code}"
    return f"{reverse('supervision:agenda', args=[item.agenda.code])}#{place}"


def _shown(request: StaffRequest, found: Agenda, form: AgendaItemForm) -> HttpResponse:
    shown = agenda_lines.read(found, request.user, timezone.now())
    # With all the therapist's clients, whom the form offers: those on the agenda, named alone, would tell whoever reads
    # the log what was found.
    codes = [*shown.client_codes, *(one.client_code for one in form.courses.values())]
    with transaction.atomic():
        viewed = audit.line(LogEvent.AGENDA_VIEWED, found, by=request.user, therapist=str(found.therapist_id))
        audit.write([viewed, *audit.listing(codes, by=request.user)])
    may_fill = found.supervisor_id == request.user.pk
    return form_page(request, "supervision/agenda.html", form, agenda=found, page=shown, may_fill=may_fill)
