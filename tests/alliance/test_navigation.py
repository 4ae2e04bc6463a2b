"""Where a person can go from every page, and where they are."""

import re

import pytest
from django.urls import reverse

from alliance.models import User
from tests import cast

pytestmark = pytest.mark.django_db

WORK_LIST, CASELOAD, SUPERVISION, CLIENTS, CLINIC = (
    reverse(name)
    for name in (
        *("dashboard:work_list", "caseload:overview", "supervision:agendas"),
        *("clients:list", "clinic:people"),
    )
)
ENTRY = re.compile(r'<li><a href="([^"]+)" (?:aria-current="(\w+)")?>([^<]+)</a></li>')


def entries(page):
    nav = page.text.partition('<nav aria-label="Main">')[2].partition("</nav>")[0]
    return [match.groups() for match in ENTRY.finditer(nav)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("olga", [WORK_LIST, SUPERVISION, CLIENTS]),
        ("sina", [CASELOAD, SUPERVISION]),
        ("adam", [CLIENTS, CLINIC]),
        ("strange", []),
    ],
)
def test_each_role_has_its_places(clinic, sign_in, name, expected):
    page = sign_in(getattr(clinic, name)).get(reverse("account_security"))
    assert [(href, current) for href, current, _label in entries(page)] == [(href, None) for href in expected]


def test_somebody_with_every_role_has_each_place_once(clinic, sign_in):
    User.objects.filter(pk=clinic.olga.pk).update(is_supervisor=True, is_administrator=True)
    labels = [
        label for _href, _current, label in entries(sign_in(clinic.olga).get(reverse("account_security")))
    ]
    assert labels == ["Work list", "Caseload", "Supervision", "Clients", "Clinic"]


def test_the_place_where_one_is_is_marked_and_so_is_one_further_in(clinic, sign_in):
    olga = sign_in(clinic.olga)
    assert entries(olga.get(WORK_LIST))[0] == (WORK_LIST, "page", "Work list")
    course = reverse("dashboard:client", args=[clinic.olgas.code])
    cast.therapy_session(clinic.olgas)
    assert entries(olga.get(course))[0] == (WORK_LIST, "true", "Work list")
    assert entries(olga.get(course))[1][1] is None


def test_nobody_signed_in_has_no_place(client):
    assert "Main" not in client.get(reverse("account_login")).text
