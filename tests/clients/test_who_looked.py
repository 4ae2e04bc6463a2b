"""Who looked at a client: every member of staff by name, for those who may see the course, and for its time alone."""

import re
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, Role
from clients import actions, merge_actions, who_looked
from clients.log_forms import DaysSearch
from clients.models import Ending, Episode, Supervision
from tests import cast

pytestmark = pytest.mark.django_db


def address(episode):
    return reverse("clients:who_looked", args=[episode.code])


def viewed(episode, by):
    audit.record(LogEvent.VIEWED, episode, by=by, client=episode.client_code)


def sentences(response):
    return [entry.line.sentence for day in response.context["seen"].days for entry in day.entries]


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.text))


@pytest.fixture
def at(time_machine):
    def at(moment):
        time_machine.move_to(timezone.make_aware(datetime.fromisoformat(moment)), tick=False)

    return at


def test_it_names_everybody_who_looked_or_did_something(clinic, sign_in):
    for by in (clinic.olga, clinic.carl, clinic.sina, clinic.adam):
        viewed(clinic.olgas, by)
    viewed(clinic.carls, clinic.stefan)
    actions.change_client(
        client=clinic.olgas.client, label="K-1", language="de", age_band="adult", by=clinic.adam
    )
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert sentences(response) == [
        "Adam changed the details of client K-1",
        "Adam viewed client K-1",
        "Sina viewed client K-1",
        "Carl viewed client K-1",
    ]
    for role in ("Administrator", "Supervisor", "Therapist"):
        assert role in text(response)
    assert f"{timezone.localdate():%-d %B %Y}" in text(response)
    assert sentences(sign_in(clinic.sina).get(address(clinic.olgas)))[-1] == "Olga viewed client K-1"


def test_who_may_open_it(clinic, sign_in):
    expected = {"olga": 200, "sina": 200, "carl": 404, "stefan": 404, "adam": 403, "strange": 403}
    for name, status in expected.items():
        response = sign_in(getattr(clinic, name)).get(address(clinic.olgas))
        assert response.status_code == status, name
        assert ("K-1" in response.text) == (status == 200)


def test_it_is_itself_one_look(clinic, sign_in):
    sign_in(clinic.sina).get(address(clinic.olgas))
    look = AuditEvent.objects.get(action=LogEvent.VIEWED)
    assert (look.actor, look.client) == (clinic.sina.pk, clinic.olgas.client_code)


def test_the_pages_of_the_client_lead_to_it_and_it_leads_back(clinic, sign_in):
    for person, page in ((clinic.olga, "dashboard:client"), (clinic.sina, "caseload:client")):
        browser, course = sign_in(person), reverse(page, args=[clinic.olgas.code])
        assert f'href="{address(clinic.olgas)}"' in browser.get(course).text
        assert f'href="{course}"' in browser.get(address(clinic.olgas)).text


# --- What is not told ----------------------------------------------------------------------------


def test_a_list_names_no_other_client_and_no_number(clinic, sign_in):
    codes = [clinic.olgas.client_code, clinic.carls.client_code]
    audit.listed(codes, by=clinic.sina)
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert sentences(response) == ["Sina saw client K-1 in a list"]
    assert "K-2" not in text(response)
    assert sentences(sign_in(clinic.carl).get(address(clinic.carls))) == ["Sina saw client K-2 in a list"]


def test_an_administrator_who_searched_the_log_for_the_client_is_named(clinic, sign_in):
    sign_in(clinic.adam).get(reverse("clinic:log"), {"client": "K-"})
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert sentences(response) == ["Adam opened the access log, searched for client K-1"]


def test_a_colleague_who_was_refused_is_named(clinic, sign_in):
    sign_in(clinic.carl).get(reverse("dashboard:client", args=[clinic.olgas.code]))
    (said,) = sentences(sign_in(clinic.olga).get(address(clinic.olgas)))
    assert said.startswith("Carl asked for a page of therapists, client K-1, and was refused")


def test_what_the_client_did_and_what_a_colleague_noted_in_another_course_stays_there(clinic, sign_in):
    """A couple's client with two therapists: neither learns of ratings, flags and talks of the other course."""
    other = Episode.objects.create(client=clinic.olgas.client, therapist=clinic.carl, opened_on=cast.STARTED)
    cast.rating(cast.therapy_session(other), 200)
    code = clinic.olgas.client_code
    audit.record(LogEvent.DISCUSSED, other, by=clinic.carl, client=code)
    audit.record(LogEvent.DISCUSSED, clinic.olgas, by=clinic.olga, client=code)
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert sentences(response) == [
        "Olga noted a conversation with client K-1",
        "Carl wrote in the record of client K-1",
        "Carl handed over to client K-1",
    ]
    assert "rating" not in " ".join(sentences(response))
    assert AuditEvent.objects.filter(action=LogEvent.RATED).exists()


def test_lines_about_a_merged_record_are_told_and_no_other_label(clinic, sign_in):
    """Of one person two records were made; both therapists go on under one of them."""
    viewed(clinic.carls, clinic.stefan)
    codes = [clinic.olgas.code, clinic.carls.code]
    merge_actions.merge_clients(
        kept=clinic.olgas.client, merged=clinic.carls.client, seen=codes, by=clinic.adam
    )
    said = sentences(sign_in(clinic.olga).get(address(clinic.olgas)))
    assert said[-1] == "Stefan viewed client K-1"
    assert "Adam merged another record into client K-1" in said
    assert "K-2" not in " ".join(said)


def test_no_address_of_a_colleague_is_shown(clinic, sign_in):
    AuditEvent.objects.create(
        action=LogEvent.VIEWED,
        entity="episode",
        actor=clinic.sina.pk,
        client=clinic.olgas.client_code,
        address="10.9.8.7",
    )
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert sentences(response) == ["Sina viewed client K-1"]
    assert "10.9.8.7" not in response.text
    assert "sina@" not in response.text


# --- One's own looks -----------------------------------------------------------------------------


def test_own_looks_are_folded_by_day_and_own_writings_are_told(clinic, sign_in, at):
    at("2026-03-01 10:00")
    for _ in range(3):
        viewed(clinic.olgas, clinic.olga)
    at("2026-03-02 10:00")
    audit.listed([clinic.olgas.client_code], by=clinic.olga)
    audit.record(LogEvent.SESSION_ADDED, clinic.olgas, by=clinic.olga, client=clinic.olgas.client_code)
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert sentences(response) == ["Olga added a session of client K-1"]
    assert [(str(day), times) for day, times in response.context["seen"].own] == [
        ("2026-03-02", 2),
        ("2026-03-01", 3),
    ]
    assert "You looked 5 times" in text(response)
    assert "1 March 2026 : 3 times" in text(response)


def test_nobody_else_is_said(clinic, sign_in):
    response = sign_in(clinic.olga).get(address(clinic.olgas))
    assert "Nobody else in these days" in text(response)
    assert "You looked 1 time " in text(response)


# --- Days ----------------------------------------------------------------------------------------


def test_a_month_at_first_and_any_days_that_are_asked_for(clinic, sign_in, at):
    at("2026-02-01 23:59")
    viewed(clinic.olgas, clinic.carl)
    at("2026-02-02 00:01")
    viewed(clinic.olgas, clinic.adam)
    at("2026-03-20 12:00")
    browser = sign_in(clinic.olga)

    def found(**asked):
        return [said.split()[0] for said in sentences(browser.get(address(clinic.olgas), asked))]

    assert found() == []
    assert found(since="") == ["Adam", "Carl"]
    assert found(since="2026-02-01", until="2026-02-01") == ["Carl"]
    assert found(since="2026-02-02") == ["Adam"]
    wrong = browser.get(address(clinic.olgas), {"since": "1.2."})
    assert (wrong.status_code, sentences(wrong)) == (422, [])
    assert "Write the date as year, month, day" in wrong.text
    for asked in ({"until": "9999-12-31"}, {"since": "0001-01-01"}):
        assert browser.get(address(clinic.olgas), asked).status_code == 200


# --- Former and next therapists ------------------------------------------------------------------


def test_after_a_transfer_the_former_therapist_sees_nothing_later_and_the_new_one_nothing_earlier(
    clinic, sign_in, at
):
    at("2026-03-01 10:00")
    viewed(clinic.olgas, clinic.sina)
    at("2026-03-10 10:00")
    new = cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
    at("2026-03-10 11:00")  # the same day: it is the last of one and the first of the other
    viewed(new, clinic.stefan)
    at("2026-03-11 10:00")
    viewed(new, clinic.stefan)
    everything = {"since": ""}
    former = sentences(sign_in(clinic.olga).get(address(clinic.olgas), everything))
    assert former[-1] == "Sina viewed client K-1"
    assert "Stefan" not in " ".join(former)
    later = sentences(sign_in(clinic.carl).get(address(new), everything))
    assert later[:2] == ["Olga viewed client K-1", "Stefan viewed client K-1"], (
        "Olga by opening hers just now"
    )
    assert "Sina" not in " ".join(later)


def test_a_transfer_that_is_dated_back_ends_it_on_that_day(clinic, sign_in, at):
    at("2026-03-05 10:00")
    viewed(clinic.olgas, clinic.adam)
    at("2026-03-10 10:00")
    day = timezone.localdate() - timedelta(days=6)
    cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=day, by=clinic.adam)
    assert sentences(sign_in(clinic.olga).get(address(clinic.olgas), {"since": ""})) == []


def test_after_an_ending_without_a_next_therapist_later_looks_are_told(clinic, sign_in, at):
    at("2026-03-01 10:00")
    actions.close_episode(
        episode=clinic.olgas, closed_on=timezone.localdate(), ending=Ending.PLANNED, by=clinic.olga
    )
    at("2026-03-09 10:00")
    viewed(clinic.olgas, clinic.sina)
    at("2026-03-10 10:00")
    browser = sign_in(clinic.olga)
    assert sentences(browser.get(address(clinic.olgas)))[0] == "Sina viewed client K-1"
    actions.open_episode(
        client=clinic.olgas.client, therapist=clinic.carl, opened_on=timezone.localdate(), by=clinic.adam
    )
    at("2026-03-11 10:00")
    viewed(clinic.olgas, clinic.stefan)
    browser = sign_in(clinic.olga)
    assert sentences(browser.get(address(clinic.olgas)))[0] == "Sina viewed client K-1"


def test_whoever_no_longer_supervises_sees_no_page(clinic, sign_in):
    Supervision.objects.filter(supervisor=clinic.sina).delete()
    assert sign_in(clinic.sina).get(address(clinic.olgas)).status_code == 404


# --- Many lines ----------------------------------------------------------------------------------


def many_lines(clinic, count):
    for number in range(count):
        person = cast.person(f"P{count}-{number}", Role.SUPERVISOR)
        viewed(clinic.olgas, person)
        audit.listed([clinic.olgas.client_code, clinic.carls.client_code], by=person)


def statements(browser, where):
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(where).status_code == 200
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


@pytest.mark.parametrize("closed", [False, True])
def test_few_lines_and_many_cost_six_queries(clinic, sign_in, closed):
    if closed:
        cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
    browser = sign_in(clinic.olga)
    statements(browser, address(clinic.olgas))
    many_lines(clinic, 3)
    few = statements(browser, address(clinic.olgas))
    many_lines(clinic, 30)
    assert len(statements(browser, address(clinic.olgas))) == len(few) == 6


def test_it_comes_in_pages(clinic, sign_in, monkeypatch):
    monkeypatch.setattr(who_looked, "PER_PAGE", 4)
    many_lines(clinic, 3)
    browser = sign_in(clinic.olga)
    first = browser.get(address(clinic.olgas))
    second = browser.get(address(clinic.olgas), {"page": "2"})
    assert (len(sentences(first)), len(sentences(second))) == (4, 2)
    assert "6 lines beside your own looks" in text(first)
    assert "Page 1 of 2" in text(first)


@pytest.mark.postgresql
@pytest.mark.usefixtures("as_owner")
def test_it_reads_no_line_about_others(clinic):
    AuditEvent.objects.bulk_create(
        AuditEvent(action=LogEvent.VIEWED, entity="episode", actor=clinic.sina.pk, **of)
        for of in (
            *({"client": uuid4()} for _ in range(5000)),
            *({"clients": [uuid4().hex, uuid4().hex]} for _ in range(5000)),
            *({"client": clinic.olgas.client_code} for _ in range(5)),
        )
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE alliance_auditevent")
    episode = who_looked.with_next(Episode.objects.all()).get(pk=clinic.olgas.pk)
    rows = DaysSearch({"since": ""}).found_in(who_looked._lines_of(episode))
    plan = rows.order_by().explain()
    assert "audit_by_named_client" in plan
    assert "audit_by_client" in plan
    assert "Seq Scan" not in plan
