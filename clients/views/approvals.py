"""What waits for a second person: listed, looked at, confirmed, refused, opened in an emergency."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance.access import StaffRequest, page
from alliance.approvals import EMERGENCY_LASTS, ApprovalRequest
from alliance.ask_again import ask_again, asked_first
from alliance.form_pages import form_page, posted, written
from alliance.line_field import LineField
from alliance.models import Role
from clients import approval_actions, approval_pages
from clients.approval_kinds import kind_of

PER_PAGE = 25
HOURS = int(EMERGENCY_LASTS.total_seconds() // 3600)


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    decided = Paginator(ApprovalRequest.objects.exclude(outcome="").order_by("-decided_at", "-pk"), PER_PAGE)
    found = decided.get_page(request.GET.get("page"))
    rows = ApprovalRequest.objects.filter(pk__in=[one.pk for one in found]).order_by("-decided_at", "-pk")
    context = {
        "waiting": approval_pages.shown(ApprovalRequest.objects.open().order_by("waits_until", "pk")),
        "decided": approval_pages.shown(rows),
        "found": found,
    }
    return render(request, "approvals/list.html", context)


class _WhyForm(forms.Form):
    why = LineField(
        label="Why you refuse it",
        max_length=200,
        required=False,
        help_text="In one line, without a client’s name. Whoever asked reads it.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR, Role.THERAPIST, Role.SUPERVISOR)
def request_(request: StaffRequest, code: UUID) -> HttpResponse:
    """The request as the second person reads it; the press that confirms is here."""
    one = _visible_or_404(request, code)
    # Not sent by itself after the question: it is confirmed with the page in sight.
    if request.method == "POST" and (question := asked_first(request)):
        return question
    form = forms.Form(posted(request))
    if written(form, approval_actions.confirm, request=one, by=request.user):
        messages.success(request, "Confirmed. It takes effect now, and those whom it concerns are told.")
        return redirect("approvals:request", code)
    approval_actions.mark_seen(request=one, by=request.user)
    kind = kind_of(one.kind)
    is_asker = one.asked_by_id == request.user.pk
    context = {
        "approval": one,
        "labels": approval_pages.clients_for(one, request.user),
        "may_confirm": one.is_open and approval_actions.may_confirm(one, request.user),
        "may_decline": one.is_open and approval_actions.may_refuse(one, request.user),
        "is_asker": is_asker,
        "others": approval_pages.others_who_may_confirm(one) if one.is_open else [],
        "why": _WhyForm(),
        "may_open": kind.has_emergency
        and one.is_open
        and not one.emergency_at
        and request.user.is_administrator,
        "hours": HOURS,
        "to_use": kind.is_used and one.took_effect and not one.used_at and one.person_id,
    }
    return form_page(request, "approvals/request.html", form, **context)


@require_POST
@page(Role.ADMINISTRATOR, Role.THERAPIST, Role.SUPERVISOR)
def decline(request: StaffRequest, code: UUID) -> HttpResponse:
    one = _visible_or_404(request, code)
    form = _WhyForm(request.POST)
    if done := written(form, approval_actions.decline, request=one, by=request.user):
        word = "Withdrawn" if done.outcome == "withdrawn" else "Refused"
        messages.success(request, f"{word}. Nothing is opened.")
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("approvals:request", code)


class _EmergencyForm(forms.Form):
    reason = LineField(
        label="Why it cannot wait",
        max_length=200,
        help_text="In one line, without a client’s name. Those whose clients it is about read it.",
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Write in one line why it cannot wait."},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def emergency(request: StaffRequest, code: UUID) -> HttpResponse:
    """Break the glass: at once, for some hours, with a reason."""
    one = _visible_or_404(request, code)
    form = _EmergencyForm(posted(request))
    if written(form, approval_actions.open_in_emergency, request=one, by=request.user):
        messages.success(request, f"Opened for {HOURS} hours. Those concerned are told, with your reason.")
        return redirect("approvals:request", code)
    return form_page(request, "approvals/emergency.html", form, approval=one, hours=HOURS)


def _visible_or_404(request: StaffRequest, code: UUID) -> ApprovalRequest:
    rows = approval_pages.visible_to(request.user)
    found: ApprovalRequest = get_object_or_404(
        rows.select_related("person", "asked_by", "decided_by", "emergency_by").distinct(), code=code
    )
    return found
