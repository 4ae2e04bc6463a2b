from django.http import HttpRequest, HttpResponse

from alliance.access import page
from alliance.models import Role


@page(Role.ADMINISTRATOR)
def people(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
