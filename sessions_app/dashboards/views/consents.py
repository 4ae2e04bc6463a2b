"""A client's consent that their therapist of today shows the page for two of an earlier course."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from alliance.access import StaffRequest, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from clients import earlier_courses
from clients.caseload_forms import ConsentForm
from clients.models import EarlierCourseConsent, Episode


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def record(request: StaffRequest, code: UUID) -> HttpResponse:
    """`code`: of the earlier course, of which this person knows only that it exists."""
    earlier = get_object_or_404(Episode.objects.select_related("client", "therapist"), code=code)
    treated = Episode.objects.treated_by(request.user).open()
    episode = treated.filter(client=earlier.client_id).select_related("client", "therapist").first()
    if episode is None or earlier not in earlier_courses.eligible(episode):
        raise Http404
    form = ConsentForm(posted(request))
    if written(form, earlier_courses.record_consent, earlier=earlier, episode=episode, by=request.user):
        messages.success(
            request, "The consent is noted. The page for two of the earlier course is open to you."
        )
        return redirect("dashboard:client", episode.code)
    return form_page(request, "dashboard/record_consent.html", form, episode=episode, earlier=earlier)


@require_POST
@page(Role.THERAPIST)
def withdraw(request: StaffRequest, code: UUID) -> HttpResponse:
    treated = Episode.objects.treated_by(request.user)
    rows = EarlierCourseConsent.objects.filter(episode__in=treated).select_related("episode__client")
    consent = get_object_or_404(rows, code=code)
    earlier_courses.withdraw_consent(consent=consent, by=request.user)
    messages.success(request, "The consent is taken back. The page for two of the earlier course is closed.")
    return redirect("dashboard:client", consent.episode.code)
