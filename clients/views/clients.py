from django.http import HttpRequest, HttpResponse

from alliance.access import page
from alliance.models import Role


@page(Role.THERAPIST, Role.ADMINISTRATOR)
def listing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
