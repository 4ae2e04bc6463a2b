"""A course of many years opens with its last sessions and low points; the rest comes on request."""

import re

import pytest
from django.urls import reverse

from alliance import kept_values
from tests import cast
from tests.sessions_app.dashboards.long_course import long_course

pytestmark = pytest.mark.django_db
KB_AT_MOST = 150


def rows(html):
    return [int(number) for number in re.findall(r'<tr id="session-(\d+)"', html)]


@pytest.fixture
def address(clinic):
    return reverse("dashboard:client", args=[clinic.olgas.code])


def test_of_500_sessions_the_last_30_and_three_low_points_come_first_in_under_150_kb(
    clinic, sign_in, address
):
    long_course(clinic.olgas, 500)
    answer = sign_in(clinic.olga).get(address)
    html = answer.content.decode()
    assert rows(html) == list(range(500, 470, -1))
    assert html.count('<article class="chapter"') == 3
    assert "Show 470 earlier sessions" in html
    assert "earlier low points" in html
    assert html.count("<h2>To talk about: session") + html.count('<details class="panel">') == 3
    assert len(answer.content) < KB_AT_MOST * 1000


def test_the_rest_is_a_plain_link_and_stays_where_the_page_draws_itself_again(clinic, sign_in, address):
    long_course(clinic.olgas, 80)
    olga = sign_in(clinic.olga)
    rest = re.search(r'href="([^"]+\?all=1)"', olga.get(address).content.decode()).group(1)
    whole = olga.get(rest).content.decode()
    assert rows(whole) == list(range(80, 0, -1))
    assert whole.count('<article class="chapter"') > 3
    assert "earlier sessions" not in whole
    again = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}?all=1"}
    assert len(rows(olga.get(address, headers=again).content.decode())) == 80
    again["HX-Current-URL"] = f"http://testserver{address}"
    assert len(rows(olga.get(address, headers=again).content.decode())) == 30


def test_the_supervisor_has_the_same_and_who_may_not_read_it_has_neither(clinic, sign_in):
    long_course(clinic.olgas, 40)
    page = reverse("caseload:client", args=[clinic.olgas.code])
    sina = sign_in(clinic.sina)
    assert len(rows(sina.get(page).content.decode())) == 30
    assert f'hx-get="{page}?all=1"' in sina.get(page).content.decode()
    assert len(rows(sina.get(f"{page}?all=1").content.decode())) == 40
    assert sign_in(clinic.stefan).get(f"{page}?all=1").status_code == 404


def test_a_course_of_30_sessions_has_no_rest(clinic, sign_in, address):
    long_course(clinic.olgas, 30)
    assert "all=1" not in sign_in(clinic.olga).get(address).content.decode()


def test_a_short_course_with_many_low_points_has_their_rest_alone(clinic, sign_in, address):
    cast.rated_course(clinic.olgas, [380, 300] * 5)
    html = sign_in(clinic.olga).get(address).content.decode()
    assert html.count('<article class="chapter"') == 3
    rest = int(re.search(r"Show (\d+) earlier low points", html).group(1))
    assert "earlier sessions</a>" not in html
    assert html.count('<tbody id="earlier-sessions"') == 1  # what the link puts in place
    assert (
        sign_in(clinic.olga).get(f"{address}?all=1").content.decode().count('<article class="chapter"')
        == 3 + rest
    )


@pytest.mark.parametrize("asked", ["", "?all=1"])
def test_the_page_asks_as_often_for_40_sessions_as_for_80(
    clinic, sign_in, asked, django_assert_max_num_queries
):
    long_course(clinic.olgas, 40)
    long_course(clinic.carls, 80)
    counts = []
    for person, episode in ((clinic.olga, clinic.olgas), (clinic.carl, clinic.carls)):
        browser = sign_in(person)
        browser.get("/dashboard/")
        kept_values.forget_everything()
        with django_assert_max_num_queries(60) as asked_for:
            browser.get(reverse("dashboard:client", args=[episode.code]) + asked)
        counts.append(len(asked_for))
    assert counts[0] == counts[1]
