from django.http import HttpRequest, HttpResponse

from alliance.access import CLIENT, page


@page(CLIENT)
def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
