"""The few pages that belong to the site and to no part of it."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from alliance.access import PUBLIC, SETTLING_IN, STAFF, StaffRequest, page
from alliance.gallery import FLAGS
from alliance.models import Role

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


@require_safe
@page(PUBLIC)
def health(request: HttpRequest) -> HttpResponse:
    """200 only when the database answers; for load balancers and the compose file."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    return JsonResponse({"status": "ok"})


@require_POST
@page(SETTLING_IN)
def still_here(request: HttpRequest) -> HttpResponse:
    """Somebody is at the screen: any request says so, and this one says nothing else."""
    return HttpResponse(status=204)


@require_safe
@page(SETTLING_IN)
def account_security(request: HttpRequest) -> HttpResponse:
    return render(request, "account/security.html")


@require_safe
@page(PUBLIC)
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component in every state; routed under DEBUG only."""
    return render(request, "gallery.html", {"flags": FLAGS})
