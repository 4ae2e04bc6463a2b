"""From one client's page to the next, in the order of the list; the order is read when somebody goes on, not before."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from alliance.access import StaffRequest, page
from alliance.models import Role
from clients.models import Episode
from sessions_app.dashboards import caseload, work_list


@require_safe
@page(Role.THERAPIST)
def next_client(request: StaffRequest, code: UUID) -> HttpResponse:
    return _own(request, code, step=1)


@require_safe
@page(Role.THERAPIST)
def previous_client(request: StaffRequest, code: UUID) -> HttpResponse:
    return _own(request, code, step=-1)


@require_safe
@page(Role.SUPERVISOR)
def next_of_caseload(request: StaffRequest, code: UUID) -> HttpResponse:
    return _supervised(request, code, step=1)


@require_safe
@page(Role.SUPERVISOR)
def previous_of_caseload(request: StaffRequest, code: UUID) -> HttpResponse:
    return _supervised(request, code, step=-1)


def _own(request: StaffRequest, code: UUID, *, step: int) -> HttpResponse:
    if not Episode.objects.own(request.user).filter(code=code).exists():
        raise Http404
    codes = [episode.code for episode in work_list.in_order(request.user, timezone.now())]
    found = _beside(codes, code, step)
    return redirect("dashboard:client", found) if found else redirect("dashboard:work_list")


def _supervised(request: StaffRequest, code: UUID, *, step: int) -> HttpResponse:
    if not Episode.objects.supervised_by(request.user).filter(code=code).exists():
        raise Http404
    found = _beside(caseload.in_order(request.user, timezone.now()), code, step)
    return redirect("caseload:client", found) if found else redirect("caseload:overview")


def _beside(codes: list[UUID], code: UUID, step: int) -> UUID | None:
    """The code that stands beside this one; None at either end, and for a course that is not on the list."""
    place = codes.index(code) + step if code in codes else -1
    return codes[place] if 0 <= place < len(codes) else None
