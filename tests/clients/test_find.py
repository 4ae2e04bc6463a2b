"""The search for a client from every page: whom it finds for whom, and where that leads."""

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.models import User
from clients import cover_actions
from clients.models import Client
from tests import cast

pytestmark = pytest.mark.django_db
FIND = reverse("clients:find")


def course(episode, name="dashboard"):
    return reverse(f"{name}:client", args=[episode.code])


def asked(browser, q, **options):
    return browser.get(FIND, {"q": q}, **options)


def test_the_only_one_opens_at_once_with_and_without_scripts(clinic, sign_in):
    olga = sign_in(clinic.olga)
    plain = asked(olga, " k-1 ")
    assert (plain.status_code, plain.url) == (302, course(clinic.olgas))
    in_place = asked(olga, "k-1", headers={"HX-Request": "true"})
    assert in_place.headers["HX-Redirect"] == course(clinic.olgas)


def test_several_are_shown_and_a_whole_label_opens(clinic, sign_in):
    other = cast.episode(clinic.olga, "K-11")
    olga = sign_in(clinic.olga)
    page = asked(olga, "k-")
    assert page.status_code == 200
    assert course(clinic.olgas) in page.text
    assert course(other) in page.text
    piece = asked(olga, "k-", headers={"HX-Request": "true"})
    assert "<html" not in piece.text
    assert course(other) in piece.text
    assert asked(olga, "K-1").url == course(clinic.olgas)


@pytest.mark.parametrize(
    ("name", "finds", "not_"), [("olga", "K-1", "K-2"), ("sina", "K-1", "K-2"), ("stefan", "K-2", "K-1")]
)
def test_nobody_finds_a_client_they_may_not_see(clinic, sign_in, name, finds, not_):
    browser = sign_in(getattr(clinic, name))
    where = "dashboard" if name == "olga" else "caseload"
    assert asked(browser, finds).url == course(clinic.olgas if finds == "K-1" else clinic.carls, where)
    in_place = {"headers": {"HX-Request": "true"}}
    missing, absent = asked(browser, not_, **in_place), asked(browser, "K-9", **in_place)
    assert missing.text.replace(not_, "") == absent.text.replace("K-9", "")
    assert missing.status_code == absent.status_code == 200


def test_an_administrator_finds_the_office_page_and_no_course(clinic, sign_in):
    adam = sign_in(clinic.adam)
    assert asked(adam, "K-2").url == reverse("clients:client", args=[clinic.carls.client.code])


def test_somebody_with_every_role_finds_each_client_once(clinic, sign_in):
    User.objects.filter(pk=clinic.olga.pk).update(is_supervisor=True, is_administrator=True)
    page = asked(sign_in(clinic.olga), "K-")
    assert [one.label for one in page.context["found"]] == ["K-1", "K-2"]
    assert course(clinic.olgas) in page.text


def test_another_client_of_the_same_label_is_not_taken_for_one_s_own(clinic, sign_in):
    User.objects.filter(pk=clinic.olga.pk).update(is_administrator=True)
    namesake = cast.episode(clinic.carl, "K-1")
    page = asked(sign_in(User.objects.get(pk=clinic.olga.pk)), "K-1")
    assert page.status_code == 200
    assert course(clinic.olgas) in page.text
    assert reverse("clients:client", args=[namesake.client.code]) in page.text


def test_who_covers_finds_the_client(clinic, sign_in):
    today = timezone.localdate()
    cover_actions.start(
        episodes=[clinic.olgas], colleague=clinic.carl, starts_on=today, ends_on=today, by=clinic.olga
    )
    page = asked(sign_in(clinic.carl), "K-1")
    assert page.url == course(clinic.olgas)


@pytest.mark.parametrize("q", ["", "  ", "\u200b", "%", "_", "' or 1=1", "x" * 500])
def test_nothing_and_nonsense_find_nobody(clinic, sign_in, q):
    page = asked(sign_in(clinic.olga), q)
    assert page.status_code == 200
    assert page.context["found"] == []


def test_what_is_found_is_escaped(clinic, sign_in):
    Client.objects.filter(label="K-1").update(label="<b>K</b>")
    cast.episode(clinic.olga, "<b>K")
    assert "&lt;b&gt;K&lt;/b&gt;" in asked(sign_in(clinic.olga), "<b>").text


def test_asks_the_same_number_of_queries_for_3_and_30(clinic, sign_in, django_assert_max_num_queries):
    User.objects.filter(pk=clinic.olga.pk).update(is_supervisor=True, is_administrator=True)
    browser, counts = sign_in(clinic.olga), []
    asked(browser, "Q-")
    for many in (3, 27):
        for number in range(many):
            cast.episode(clinic.olga, f"Q-{many}-{number}")
        with django_assert_max_num_queries(12) as queries:
            assert asked(browser, "Q-").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert asked(browser, "Q-").context["are_more"]


def test_the_field_is_on_every_page_of_staff_and_on_none_of_a_client(clinic, sign_in):
    for name, page in (
        ("olga", "dashboard:work_list"),
        ("sina", "caseload:overview"),
        ("adam", "clinic:people"),
    ):
        assert 'id="site-search"' in sign_in(getattr(clinic, name)).get(reverse(page)).text
    assert 'id="site-search"' not in sign_in(clinic.strange).get(reverse("account_security")).text
    together = sign_in(clinic.olga).get(reverse("together:choose", args=[clinic.olgas.code]))
    assert together.status_code == 200
