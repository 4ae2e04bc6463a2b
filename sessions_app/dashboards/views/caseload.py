from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from alliance import audit
from alliance.access import StaffRequest, page, visible_or_404
from alliance.log_events import LogEvent
from alliance.models import Role
from clients import more_pages
from clients.models import Episode
from sessions_app.dashboards import caseload, change_stamp, kept_course, late_arrivals, periods
from sessions_app.questionnaires import waiting


@require_safe
@page(Role.SUPERVISOR)
def overview(request: StaffRequest) -> HttpResponse:
    """Who needs a talk first and why, over all supervisees or one of them (`?therapist=`)."""
    asked = request.GET.get("therapist")
    shown = caseload.read(request.user, timezone.now(), asked)
    not_yours = periods.NOT_YOURS if asked and shown.chosen is None else ""
    late = late_arrivals.of_supervisor(request.user)
    with transaction.atomic():
        codes = [*shown.client_codes, *(one.session.client_code for one in late)]
        viewed = audit.line(LogEvent.VIEWED_CASELOAD, request.user, by=request.user)
        audit.write([viewed, *audit.listing(codes, by=request.user)])
    more = (
        [] if request.user.is_therapist else more_pages.links(request.user)
    )  # a therapist has them beside the clients
    context = {"caseload": shown, "late": late, "not_yours": not_yours, "more_pages": more}
    return render(request, "caseload/overview.html", context)


@require_safe
@page(Role.SUPERVISOR)
def client(request: StaffRequest, code: UUID) -> HttpResponse:
    """A supervisee's client, read-only; asked again by the open page itself."""
    episodes = Episode.objects.supervised_by(request.user)
    if change_stamp.is_current(request, episodes.filter(code=code)):
        return HttpResponse(status=204)
    episodes = waiting.with_responses(episodes.select_related("client", "therapist"))
    episode = visible_or_404(request, episodes, code)
    drawn = kept_course.read(request, request.user, episode, timezone.now())
    if request.htmx:
        return HttpResponse(drawn.course)
    return render(request, "caseload/client.html", {"episode": episode, "drawn": drawn})
