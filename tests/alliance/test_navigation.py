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
ENTRY = re.compile(r'<li><a href="([^"]+)"\s*(?:aria-current="(\w+)")?>([^<]+)</a></li>')


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


@pytest.mark.parametrize(
    ("name", "page", "marked"),
    [
        ("olga", "tablets:list", WORK_LIST),
        ("olga", "rules:list", WORK_LIST),
        ("olga", "exports:export", WORK_LIST),
        ("sina", "rules:questions", CASELOAD),
        ("sina", "supervision:agendas", SUPERVISION),
        ("adam", "tablets:list", CLINIC),
        ("adam", "instruments:list", CLINIC),
        ("adam", "settings:change", CLINIC),
        ("adam", "rules:questions", CLINIC),
        ("adam", "import:list", CLINIC),
        ("adam", "erasures:list", CLINIC),
    ],
)
def test_the_mark_is_lost_on_no_page(clinic, sign_in, name, page, marked):
    shown = entries(sign_in(getattr(clinic, name)).get(reverse(page)))
    assert [href for href, current, _ in shown if current] == [marked]


def test_on_a_page_of_the_account_the_menu_of_the_account_is_marked(clinic, sign_in):
    olga = sign_in(clinic.olga)
    assert '<summary aria-current="true">' in olga.get(reverse("account_security")).text
    assert '<summary aria-current="true">' not in olga.get(WORK_LIST).text


@pytest.mark.parametrize(
    ("name", "address", "status"),
    [("olga", CASELOAD, 403), ("olga", "/dashboard/nothing/", 404), ("olga", "/nothing/", 404)],
)
def test_a_refusal_leaves_somebody_who_is_signed_in_somewhere_to_go(clinic, sign_in, name, address, status):
    answer = sign_in(getattr(clinic, name)).get(address)
    assert answer.status_code == status
    assert [href for href, _, _ in re.findall(r'<li><a href="([^"]+)"( )?>([^<]+)', answer.text)] == [
        WORK_LIST,
        SUPERVISION,
        CLIENTS,
    ]
    assert "csrfmiddlewaretoken" not in answer.text


def test_a_refusal_shows_nobody_else_a_place(client):
    assert "Work list" not in client.get("/nothing/").text
