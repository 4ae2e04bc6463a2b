"""The administrator's pages about questions on self-harm: what the site does, who looks, and the clinic's sentence."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.forms import RiskConfirmationForm
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation


@require_safe
@page(Role.ADMINISTRATOR)
def risk_items(request: StaffRequest) -> HttpResponse:
    """Which instruments ask about self-harm, and what was confirmed about each. No answer is on it."""
    related = ("looks_when_away", "confirmed_by", "ended_by")
    rows = list(RiskConfirmation.objects.select_related(*related))
    found = [
        {
            "instrument": one,
            "stands": next((row for row in rows if row.instrument == one.id and row.stands), None),
            "earlier": [row for row in rows if row.instrument == one.id and not row.stands],
        }
        for one in risk_confirmations.with_risk_items()
    ]
    return render(request, "instruments/risk_items.html", {"found": found})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def confirm_risk_items(request: StaffRequest) -> HttpResponse:
    asked = request.GET.get("instrument", "")
    instrument = next((one for one in risk_confirmations.with_risk_items() if one.id == asked), None)
    if instrument is None:
        raise Http404
    stands = risk_confirmations.standing_of(instrument)
    form = RiskConfirmationForm(posted(request), instrument=instrument, stands=stands)
    if written(form, risk_confirmations.confirm, instrument=instrument, by=request.user):
        messages.success(
            request, f"Confirmed. {instrument.name} can be given now, where its words are switched on."
        )
        return redirect("instruments:risk_items")
    questions = [
        (instrument.item(item).label, risk.lowest / 10, risk.source)
        for item, risk in instrument.risk_items.items()
    ]
    return form_page(
        request,
        "instruments/confirm_risk_items.html",
        form,
        instrument=instrument,
        stands=stands,
        questions=questions,
        does=risk_confirmations.WHAT_IT_DOES,
        does_not=risk_confirmations.WHAT_IT_DOES_NOT,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def end_risk_items(request: StaffRequest, code: UUID) -> HttpResponse:
    one = get_object_or_404(RiskConfirmation.objects.select_related("looks_when_away"), code=code)
    form = forms.Form(posted(request))
    if written(form, risk_confirmations.end, confirmation=one, by=request.user):
        messages.success(request, f"{one}: the form is given to nobody any more.")
        return redirect("instruments:risk_items")
    return form_page(request, "instruments/end_risk_items.html", form, confirmation=one)
