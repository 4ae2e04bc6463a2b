"""A look at a list is one line of the log, found by each client on it."""

import csv
import io
import re
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alliance import audit
from alliance.log_by_client import NamesAny
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from clients import access_log
from clients.models import Episode
from sessions_app.dashboards import change_stamp
from tests import cast

pytestmark = pytest.mark.django_db
LOG, EXPORT = "/clinic/log/", "/clinic/log/export/"


@pytest.fixture
def seen(clinic):
    """Olga was shown a list with three clients, and then one with a single other one."""
    episodes = [clinic.olgas, *(cast.episode(clinic.olga, f"L-{number}") for number in (1, 2))]
    audit.listed([episode.client_code for episode in episodes], by=clinic.olga)
    audit.listed([clinic.carls.client_code], by=clinic.carl)
    return episodes


def sentences(response):
    return [line.sentence for line in response.context["lines"] if "list" in line.sentence]


def text(response):
    return re.sub(r"<[^>]*>", "", response.text)


def rows_of(response):
    content = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return [row[1:4] for row in csv.reader(io.StringIO(content)) if "list" in row[2]]


def test_it_is_one_line_and_one_statement(clinic):
    codes = [cast.episode(clinic.olga, f"L-{number}").client_code for number in range(20)]
    before = AuditEvent.objects.count()
    with CaptureQueriesContext(connection) as captured:
        audit.listed([*codes, codes[0]], by=clinic.olga)
    assert len(captured) == 1
    assert AuditEvent.objects.count() == before + 1
    event = AuditEvent.objects.get(action="listed")
    assert event.clients == sorted(code.hex for code in codes)
    assert (event.actor, event.client, event.entity, event.detail) == (clinic.olga.pk, None, "client", {})


def test_an_empty_list_showed_nobody(clinic):
    audit.listed([], by=clinic.olga)
    assert not AuditEvent.objects.filter(action="listed").exists()


@pytest.mark.parametrize("query", ["?action=everything", "?action=listed"])
def test_it_says_how_many_and_has_the_names_at_hand(seen, administrator, query):
    response = administrator.get(LOG + query)
    assert sentences(response) == ["Carl saw client K-2 in a list", "Olga saw 3 clients in a list"]
    assert "K-1, L-1, L-2" in text(response)


def test_everything_but_lists_comes_first(seen, administrator):
    assert sentences(administrator.get(LOG)) == []


class TestSearchedByClient:
    def test_every_client_on_it_is_found_and_no_other(self, seen, administrator):
        for label in ("K-1", "L-1", "l-2"):
            told = sentences(administrator.get(LOG, {"client": label}))
            assert told == [f"Olga saw 3 clients in a list, client {label.upper()} among them"]
        assert sentences(administrator.get(LOG, {"client": "K-2"})) == ["Carl saw client K-2 in a list"]
        assert sentences(administrator.get(LOG, {"client": "nobody"})) == []

    def test_all_that_match_are_named_and_nobody_else(self, seen, administrator):
        response = administrator.get(LOG, {"client": "L-"})
        assert sentences(response) == ["Olga saw 3 clients in a list, client L-1, client L-2 among them"]
        assert "K-1" not in text(response)

    def test_with_the_other_filters(self, seen, clinic, administrator):
        asked = {"client": "K-1", "action": "listed"}
        assert len(sentences(administrator.get(LOG, {**asked, "person": clinic.olga.pk}))) == 1
        assert sentences(administrator.get(LOG, {**asked, "person": clinic.carl.pk})) == []
        assert sentences(administrator.get(LOG, {**asked, "until": "2020-01-01", "since": ""})) == []

    def test_the_newest_first_among_the_other_lines(self, seen, clinic, administrator):
        audit.record(LogEvent.VIEWED, clinic.olgas, by=clinic.sina, client=clinic.olgas.client_code)
        told = [line.sentence for line in administrator.get(LOG, {"client": "K-1"}).context["lines"]]
        assert told[:2] == [
            "Sina viewed client K-1",
            "Olga saw 3 clients in a list, client K-1 among them",
        ]

    def test_one_who_is_no_longer_there_is_counted_and_not_named(self, seen, clinic, administrator):
        codes = [uuid4(), clinic.olgas.client_code]
        audit.listed(codes, by=clinic.olga)
        assert sentences(administrator.get(LOG, {"action": "listed"}))[0] == "Olga saw 2 clients in a list"
        assert "K-1, no longer listed" in text(administrator.get(LOG, {"action": "listed"}))


class TestTheFile:
    def test_has_every_client_of_a_list(self, seen, administrator):
        assert rows_of(administrator.post(EXPORT + "?action=listed")) == [
            ["Carl (carl@clinic.example)", "Carl saw client K-2 in a list", "K-2"],
            ["Olga (olga@clinic.example)", "Olga saw 3 clients in a list", "K-1, L-1, L-2"],
        ]

    def test_names_no_other_client_where_one_was_asked_for(self, seen, administrator):
        """It may be for that client."""
        assert rows_of(administrator.post(EXPORT + "?client=L-1")) == [
            [
                "Olga (olga@clinic.example)",
                "Olga saw 3 clients in a list, client L-1 among them",
                "L-1",
            ]
        ]


def test_a_look_at_a_list_is_no_news(clinic):
    before = change_stamp.stamp(Episode.objects.all())
    audit.listed([clinic.olgas.client_code], by=clinic.sina)
    assert change_stamp.stamp(Episode.objects.all()) == before


def test_the_pages_with_lists_write_one_line_however_many_clients(clinic, sign_in):
    for number in range(12):
        cast.episode(clinic.olga, f"L-{number}")
    for person, page in ((clinic.olga, "dashboard:work_list"), (clinic.sina, "caseload:overview")):
        assert sign_in(person).get(reverse(page)).status_code == 200
        assert len(AuditEvent.objects.get(action="listed", actor=person.pk).clients) == 13


def test_a_list_of_many_costs_no_more_queries_to_read(clinic, administrator):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            administrator.get(LOG, {"client": "L-", "action": "everything"})
        return len(captured)

    audit.listed([cast.episode(clinic.olga, "L-0").client_code], by=clinic.olga)
    queries()
    few = queries()
    codes = [cast.episode(clinic.olga, f"L-{number}").client_code for number in range(1, 60)]
    for _ in range(30):
        audit.listed(codes, by=clinic.olga)
    assert queries() == few


def test_a_search_by_client_looks_up_no_other_client(clinic):
    codes = [cast.episode(clinic.olga, f"L-{number}").client_code for number in range(30)]
    audit.listed(codes, by=clinic.olga)
    with CaptureQueriesContext(connection) as captured:
        (told,) = access_log.lines(AuditEvent.objects.filter(action="listed"), frozenset(codes[:1]))
    assert told.labels == ("L-0",)
    (asked,) = (one["sql"] for one in captured if 'FROM "clients_client"' in one["sql"])
    assert {code for code in codes if code.hex in asked.replace("-", "")} == {codes[0]}


@pytest.mark.postgresql
def test_a_search_by_client_reads_no_line_of_others(clinic):
    """By its indexes alone: the log grows for years."""
    code = clinic.olgas.client_code
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")  # so few lines would be read one by one
        plan = AuditEvent.objects.filter(NamesAny([code])).order_by().explain()
    assert "audit_by_named_client" in plan
    assert "audit_by_client" in plan
    assert "Seq Scan" not in plan


def test_thousands_of_codes_are_one_question(seen, clinic):
    """A search for a letter that is in every label of a large clinic."""
    codes = [UUID(int=number) for number in range(40_000)]
    found = AuditEvent.objects.filter(NamesAny([*codes, clinic.olgas.client_code]))
    assert list(found.filter(action="listed")) == [
        AuditEvent.objects.get(actor=clinic.olga.pk, action="listed")
    ]
    assert access_log.lines(found.filter(action="listed"), frozenset([clinic.olgas.client_code]))
