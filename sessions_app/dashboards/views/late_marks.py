"""What arrived after the end of a course, taken from the list by whoever has seen it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from alliance.access import StaffRequest, own_or_404, page, visible_or_404
from alliance.models import Role
from clients.models import Episode
from sessions_app.dashboards import late_arrivals

SEEN = "Noted that you have seen it. It can be read in the course as ever."


@require_POST
@page(Role.THERAPIST)
def seen(request: StaffRequest, code: UUID) -> HttpResponse:
    episode: Episode = own_or_404(request, Episode.objects.select_related("client"), code)
    late_arrivals.note_seen(episode=episode, by=request.user)
    messages.success(request, SEEN)
    return redirect("dashboard:work_list")


@require_POST
@page(Role.SUPERVISOR)
def seen_by_supervisor(request: StaffRequest, code: UUID) -> HttpResponse:
    supervised = Episode.objects.supervised_by(request.user).select_related("client")
    episode: Episode = visible_or_404(request, supervised, code, looked_at=False)
    late_arrivals.note_seen(episode=episode, by=request.user)
    messages.success(request, SEEN)
    return redirect("caseload:overview")
