"""Whoever is signed in and refused stands in the log: once a minute, and nothing tells what is there."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import rate_limits
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from clients import access_log

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_asked_yet():
    cache.clear()


def refusals():
    return AuditEvent.objects.filter(action=LogEvent.REFUSED).order_by("pk")


def sentences():
    return [line.sentence for line in access_log.lines(refusals())]


def client_page(episode):
    return reverse("dashboard:client", args=[episode.code])


def test_a_page_for_other_roles(clinic, sign_in):
    assert sign_in(clinic.olga).get(reverse("clinic:log")).status_code == 403
    assert sign_in(clinic.adam).get(client_page(clinic.olgas)).status_code == 403
    assert sentences() == [
        "Olga asked for a page of the clinic and was refused: for other roles",
        "Adam asked for a page of therapists, client K-1, and was refused: for other roles",
    ]


def test_a_row_of_somebody_else_and_one_that_is_not_there(clinic, sign_in):
    assert sign_in(clinic.carl).get(client_page(clinic.olgas)).status_code == 404
    cache.clear()
    absent = uuid4()
    assert sign_in(clinic.carl).get(reverse("dashboard:client", args=[absent])).status_code == 404
    assert sentences() == [
        "Carl asked for a page of therapists, client K-1, and was refused: not theirs, or not there",
        "Carl asked for a page of therapists and was refused: not theirs, or not there",
    ]
    foreign, none = refusals()
    assert (foreign.entity, foreign.entity_code, foreign.client) == (
        *("page", clinic.olgas.code),
        clinic.olgas.client_code,
    )
    assert (none.entity_code, none.client, none.detail) == (absent, None, foreign.detail)


def test_whoever_asks_too_often(clinic, sign_in, monkeypatch):
    monkeypatch.setitem(rate_limits.LIMITS, "pairing_entered", "1/10m/user")
    browser = sign_in(clinic.olga)
    answers = [browser.post(reverse("tablets:pair"), {"code": "123456", "name": "x"}) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert sentences() == ["Olga asked for the page of tablets too often and was made to wait"]


def test_an_administrator_who_lost_that_role_meanwhile(clinic, sign_in):
    """The page that was interrupted to ask for the password is resumed past the page rules."""
    clinic.adam.is_therapist = True
    clinic.adam.save()
    browser = sign_in(clinic.adam)
    clinic.adam.is_administrator = False
    clinic.adam.save()
    assert browser.get(reverse("clinic:add_person")).status_code == 403
    assert len(sentences()) == 1


def test_what_is_no_refusal(clinic, sign_in):
    browser = sign_in(clinic.olga)
    browser.get(client_page(clinic.olgas))
    browser.get("/no-such-page/")
    browser.get(reverse("rate:form"))
    browser.get("/go/nothing/")
    Browser().get(client_page(clinic.olgas))
    Browser().get("/go/nothing/")
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post(reverse("clients:register")).status_code == 403
    assert sentences() == []


def test_once_a_minute_for_each_part_of_the_site_and_person(clinic, sign_in, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    cache.clear()
    browser = sign_in(clinic.carl)
    for _ in range(5):
        browser.get(client_page(clinic.olgas))
        browser.get(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert refusals().count() == 1
    browser.get(reverse("clinic:people"))
    assert refusals().count() == 2, "another part"
    sign_in(clinic.stefan).get(reverse("clinic:people"))
    assert refusals().count() == 3, "another person"
    time_machine.shift(timedelta(seconds=61))
    sign_in(clinic.carl).get(client_page(clinic.olgas))
    assert refusals().count() == 4


def test_foreign_and_absent_take_the_same_way_statement_by_statement(clinic, sign_in):
    def asked(code):
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(reverse("dashboard:client", args=[code]))
        return answer.content, [shape(query["sql"]) for query in captured]

    def shape(sql):
        return " ".join(sql.split()[: 1 if "SAVEPOINT" in sql else 4])

    browser = sign_in(clinic.carl)
    asked(uuid4())
    foreign, absent = asked(clinic.olgas.code), asked(uuid4())
    assert foreign == absent
    assert len(foreign[1]) > 3


def test_the_line_is_no_news_on_the_clients_page(clinic, sign_in):
    from sessions_app.dashboards import change_stamp

    before = change_stamp.stamp(type(clinic.olgas).objects.all())
    sign_in(clinic.carl).get(client_page(clinic.olgas))
    assert refusals().get().client == clinic.olgas.client_code
    assert change_stamp.stamp(type(clinic.olgas).objects.all()) == before


def test_an_administrator_finds_it_by_the_client(clinic, sign_in):
    sign_in(clinic.carl).get(client_page(clinic.olgas))
    response = sign_in(clinic.adam).get(reverse("clinic:log"), {"client": "K-1", "action": "refused"})
    assert [line.sentence for line in response.context["lines"]] == sentences()
    assert len(sentences()) == 1


def test_every_part_of_the_site_has_its_words():
    from tests.alliance.page_table import OPEN_TO

    of_everybody = {name for name in OPEN_TO if {"olga", "sina", "adam", "strange"} <= OPEN_TO[name]}
    assert set(OPEN_TO) - of_everybody == set(access_log.PAGES)
