"""The tablets of the rooms, for therapists and administrators: pair one, see them, revoke one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance import rate_limits
from alliance.access import StaffRequest, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from alliance.refused import Refused
from sessions_app.courses.tablets import PairedTablet
from sessions_app.intake import room_tablets, sending_actions
from sessions_app.intake.tablet_forms import PairForm


@require_safe
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    tablets = room_tablets.tablets_in_use(timezone.now()).select_related("paired_by")
    return render(request, "tablets/list.html", {"tablets": tablets})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def pair(request: StaffRequest) -> HttpResponse:
    """Enter the code that a tablet shows, and give the tablet a name."""
    form = PairForm(posted(request))
    try:
        right = rate_limits.one_try(request, "pairing_entered")
    except rate_limits.TooOften:
        return rate_limits.wait(request, "tablets/too_often.html")
    if tablet := written(form, sending_actions.pair, by=request.user):
        right()
        messages.success(request, f"{tablet} is paired and waits for a form.")
        return redirect("tablets:list")
    return form_page(request, "tablets/pair.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def revoke(request: StaffRequest, code: UUID) -> HttpResponse:
    known = (
        PairedTablet.objects.in_use() if request.method != "POST" else PairedTablet.objects.exclude(name="")
    )
    tablet = get_object_or_404(known, code=code)
    if request.method != "POST":
        return render(request, "tablets/revoke.html", {"tablet": tablet})
    try:
        sending_actions.revoke(tablet=tablet, by=request.user)
        messages.success(request, f"{tablet} is no longer paired.")
    except Refused as refusal:
        messages.info(request, str(refusal))
    return redirect("tablets:list")
