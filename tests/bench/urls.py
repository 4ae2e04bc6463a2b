"""The site's pages, the bare one they are compared with, and one that costs a sign-in and nothing else."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from alliance.access import PUBLIC, STAFF, page
from alliance.urls import urlpatterns as pages_of_the_site


@page(PUBLIC)
def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@page(STAFF)
def signed_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("bare", bare), path("signed-in", signed_in), *pages_of_the_site]
