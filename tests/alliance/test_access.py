"""Every page declares who may open it; one that does not is refused."""

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, path

from alliance import access


def routes(resolver: URLResolver | None = None) -> list[URLPattern]:
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        found += routes(entry) if isinstance(entry, URLResolver) else [entry]
    return found


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_view_declares_its_page_rule(route):
    assert access.rule_of(route.callback, route.name) is not None


def undeclared(request):
    return HttpResponse("leaked")


class urlconf_with_an_undeclared_view:  # noqa: N801
    urlpatterns = [path("bare/", undeclared), *get_resolver().url_patterns]  # noqa: RUF012


@pytest.mark.django_db
def test_a_view_without_a_rule_is_refused_even_to_staff(sign_in, clinic, settings):
    settings.ROOT_URLCONF = urlconf_with_an_undeclared_view
    response = sign_in(clinic.olga).get("/bare/")
    assert response.status_code == 404
    assert b"leaked" not in response.content
