"""The few pages that belong to the site and to no part of it."""

from datetime import UTC, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from alliance import guessing
from alliance.access import PUBLIC, SETTLING_IN, STAFF, StaffRequest, page
from alliance.gallery import FLAGS
from alliance.models import Role

GOOD_FOR = timedelta(days=180)  # RFC 9116 wants less than a year; it is made anew at each look
FIRST_PAGES = {
    Role.THERAPIST: "dashboard:work_list",
    Role.SUPERVISOR: "caseload:overview",
    Role.ADMINISTRATOR: "clinic:people",
}


@require_safe
@page(STAFF)
def home(request: StaffRequest) -> HttpResponse:
    for role, first_page in FIRST_PAGES.items():
        if role in request.user.roles:
            return redirect(first_page)
    return render(request, "no_role.html")


@require_POST
@page(SETTLING_IN)
def still_here(request: HttpRequest) -> HttpResponse:
    """Somebody is at the screen: any request says so, and this one says nothing else."""
    return HttpResponse(status=204)


@require_safe
@page(SETTLING_IN)
def account_security(request: HttpRequest) -> HttpResponse:
    """The guess stands there where anybody guesses or did: else a clinic that does not use it would read of it."""
    return render(request, "account/security.html", {"offers_guesses": guessing.in_use()})


@require_safe
@page(PUBLIC)
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component in every state; routed under DEBUG only."""
    return render(request, "gallery.html", {"flags": FLAGS})


@require_safe
@page(PUBLIC)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell of a weakness (RFC 9116); not there where the clinic names nobody."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    until = (timezone.now() + GOOD_FOR).astimezone(UTC)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {until:%Y-%m-%dT00:00:00Z}",
        "Preferred-Languages: en",
        f"Canonical: {request.build_absolute_uri(request.path)}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
