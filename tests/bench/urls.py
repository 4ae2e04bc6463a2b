"""The site's pages and the bare one they are compared with."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from alliance.access import PUBLIC, page
from alliance.urls import urlpatterns as pages_of_the_site


@page(PUBLIC)
def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("bare", bare), *pages_of_the_site]
