"""Who looked at a client: for the therapist and the supervisor who may see the course."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from alliance import log_archives
from alliance.access import StaffRequest, page, visible_or_404
from alliance.models import Role
from clients import who_looked
from clients.log_forms import DaysSearch
from clients.models import Episode

DAYS_AT_FIRST = 30


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR)
def client(request: StaffRequest, code: UUID) -> HttpResponse:
    episode: Episode = visible_or_404(request, who_looked.with_next(Episode.objects.all()), code)
    first_day = (timezone.localdate() - timedelta(days=DAYS_AT_FIRST)).isoformat()
    search = DaysSearch({"since": first_day, **request.GET.dict()})
    seen = who_looked.read(episode, search, request.GET.get("page"), request.user)
    context = {
        "episode": episode,
        "is_own": episode.therapist_id == request.user.pk,
        "search": search,
        "seen": seen,
        "archive": log_archives.reached(search.first_day),
    }
    return render(request, "clients/who_looked.html", context, status=422 if search.errors else 200)
