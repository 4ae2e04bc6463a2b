from uuid import UUID

from django.http import HttpRequest, HttpResponse

from alliance.access import page
from alliance.models import Role


@page(Role.THERAPIST)
def work_list(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@page(Role.THERAPIST)
def client(request: HttpRequest, code: UUID) -> HttpResponse:
    return HttpResponse()
