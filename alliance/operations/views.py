"""The page *Health*: the findings of `manage.py doctor`, for administrators."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from alliance.access import StaffRequest, page
from alliance.models import Role
from alliance.operations.findings import ASKED, PAGE, State, run, worst


@require_safe
@page(Role.ADMINISTRATOR)
def health(request: StaffRequest) -> HttpResponse:
    """What rings elsewhere, such as the mail server, is asked only where somebody wants it: `?ask=all`."""
    asks_all = request.GET.get("ask") == "all"
    found = run(PAGE | ASKED if asks_all else PAGE, request)
    by_state = {state: [one for one in found if one.state is state] for state in State}
    context = {
        "asks_all": asks_all,
        "at": timezone.now(),
        "failures": by_state[State.FAILED],
        "warnings": by_state[State.WARNING],
        "well": by_state[State.OK],
        "is_well": worst(found) is State.OK,
    }
    return render(request, "operations/health.html", context)


health_pages = [path("", health, name="findings")]
