"""Process figures: a supervisor's of their supervisees, and every therapist's own."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from alliance import audit
from alliance.access import StaffRequest, page
from alliance.log_events import LogEvent
from alliance.models import Role
from sessions_app.dashboards import caseload, process_figures
from sessions_app.dashboards.periods import PeriodForm


@require_safe
@page(Role.SUPERVISOR)
def of_supervisees(request: StaffRequest) -> HttpResponse:
    """Those of all supervisees or of one; the whole question stands in the address, so that it can be sent."""
    now, people = timezone.now(), caseload.supervisees_of(request.user)
    form = PeriodForm(request.GET, now=now, people=people)
    if not form.is_valid():
        return render(request, "caseload/figures.html", {"form": form}, status=422)
    figures = process_figures.of_people(form.chosen, form.asked)
    with transaction.atomic():
        audit.record(LogEvent.FIGURES_VIEWED, request.user, by=request.user)
    context = {"form": form, "period": form.asked, "people": figures}
    return render(request, "caseload/figures.html", context)


@require_safe
@page(Role.THERAPIST)
def own(request: StaffRequest) -> HttpResponse:
    """A therapist's own: the same figures and periods as whoever supervises them sees, and who that is."""
    now = timezone.now()
    form = PeriodForm(request.GET, now=now)
    context = {"form": form, "readers": process_figures.readers_of(request.user, now)}
    if not form.is_valid():
        return render(request, "dashboard/figures.html", context, status=422)
    (figures,) = process_figures.of_people([request.user], form.asked)
    return render(request, "dashboard/figures.html", {**context, "period": form.asked, "people": [figures]})
