from uuid import UUID

from django.http import HttpRequest, HttpResponse

from alliance.access import page
from alliance.models import Role


@page(Role.SUPERVISOR)
def overview(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@page(Role.SUPERVISOR)
def client(request: HttpRequest, code: UUID) -> HttpResponse:
    return HttpResponse()
