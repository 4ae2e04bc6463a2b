"""The access log: every event in words, none with a clinical value, and a file that no spreadsheet runs."""

import csv
import io
import re
from datetime import datetime, timedelta

import pytest
from django import forms
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from pytest_django.asserts import assertHTMLEqual

from alliance import audit, long_list
from alliance.log_events import ALIKE, LogEvent
from alliance.long_list import LongList
from alliance.models import AuditEvent, User
from alliance.quick_select import QuickSelect
from clients import access_log, actions, staff_actions, supervision_actions
from clients.log_forms import LogSearch
from clients.models import Ending, Supervision
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.models import Flag
from tests import cast

pytestmark = pytest.mark.django_db
LOG, EXPORT = "/clinic/log/", "/clinic/log/export/"


def sentences(response):
    return [line.sentence for line in response.context["lines"]]


def rows_of(response):
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text)))


def viewed(clinic, by=None):
    episode = clinic.olgas
    audit.record(LogEvent.VIEWED, episode, by=by or clinic.olga, client=episode.client_code)


def test_what_people_did_reads_as_sentences(clinic, sign_in):
    today, client = timezone.localdate(), clinic.olgas.client
    viewed(clinic)
    actions.change_client(client=client, label="K-1", language="de", age_band="adult", by=clinic.olga)
    actions.close_episode(episode=clinic.olgas, closed_on=today, ending=Ending.PLANNED, by=clinic.olga)
    actions.open_episode(client=client, therapist=clinic.carl, opened_on=today, by=clinic.adam)
    one = Supervision.objects.get(supervisor=clinic.sina)
    supervision_actions.end_supervision(supervision=one, last_day=today, by=clinic.adam)
    staff_actions.invite(person=clinic.carl, by=None)
    assert sentences(sign_in(clinic.adam).get(LOG))[:6] == [
        "The system invited Carl to choose a password",
        "Adam ended the supervision of Olga by Sina",
        "Adam opened an episode of client K-1 with Carl",
        "Olga closed an episode of client K-1",
        "Olga changed the details of client K-1",
        "Olga viewed client K-1",
    ]


def test_the_log_tells_of_ratings_and_conversations_but_not_what_was_found(clinic, sign_in):
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 287, comment="canary")
    discussion_actions.discuss(flags=list(Flag.objects.all()), said="canary", agreed="canary", by=clinic.olga)
    audit.record(LogEvent.VIEWED, Flag.objects.first(), by=clinic.sina, client=clinic.olgas.client_code)
    response = sign_in(clinic.adam).get(LOG)
    assert sentences(response)[:4] == [
        "Sina viewed client K-1",
        "Olga wrote in the record of client K-1",
        "Client K-1 gave a rating",
        "Olga handed over to client K-1",
    ]
    # What a person reads: tokens, codes and microseconds may hold any figure.
    text = re.sub(r"<time.*?</time>|<[^>]*>", "", response.text)
    for clinical in ("287", "28.7", "canary", "flags refreshed", "Flag"):
        assert clinical not in text


def test_the_office_is_not_told_that_there_was_a_flag(clinic, administrator):
    """Only where a flag calls for a talk is one noted or put off: those lines read like those of any session."""
    for event in sorted(ALIKE):
        audit.record(event, clinic.olgas, by=clinic.olga, client=clinic.olgas.client_code)
    assert {LogEvent.SESSION_CHANGED, LogEvent.DISCUSSED, LogEvent.DEFERRED} < ALIKE
    expected = ["Olga wrote in the record of client K-1"] * len(ALIKE)
    for asked in ({"client": "K-1"}, {"action": "writings"}):
        response = administrator.get(LOG, asked)
        assert sentences(response) == expected
        found = re.sub(r"<[^>]*>", "", response.text.partition('id="found"')[2].partition("<footer")[0])
        told_of = re.findall("deferr|put off|follow-up|discuss|conversation|talk", found, re.IGNORECASE)
        assert told_of == []
    for event in ALIKE:
        assert administrator.get(LOG, {"action": event}).status_code == 422, "nor asked for apart"
    exported = rows_of(administrator.post(EXPORT + "?action=writings"))
    assert [row[2] for row in exported[1:]] == expected


def test_what_was_put_off_leaves_no_words(clinic, sign_in):
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 287)
    deferral_actions.defer(
        episode=clinic.olgas, flags=Flag.objects.all(), kind="later", why="canary", by=clinic.olga
    )
    assert "canary" not in sign_in(clinic.adam).get(LOG).text + str(AuditEvent.objects.values_list("detail"))


def test_a_line_of_a_newer_release_is_told_too(clinic):
    AuditEvent.objects.create(action="something new", entity="site", actor=clinic.olga.pk)
    AuditEvent.objects.create(action="something new", entity="client", client=clinic.olgas.client_code)
    told = [line.sentence for line in access_log.lines(AuditEvent.objects.order_by("-id")[:2])]
    assert told == ["The system: something new, client K-1", "Olga: something new"]


# --- Who reads the log ---------------------------------------------------------------------------


def test_whoever_opens_the_log_stands_in_it(clinic, sign_in):
    browser = sign_in(clinic.adam)
    assert "Adam opened the access log" not in sentences(browser.get(LOG)), "not yet"
    assert sentences(browser.get(LOG))[0] == "Adam opened the access log"
    assert sentences(browser.get(LOG, {"since": "2026-01-01"}))[0] == "Adam opened the access log"
    event = AuditEvent.objects.filter(action=LogEvent.LOG_OPENED).latest("pk")
    assert set(event.detail["asked"]) == {"since"}
    refused = sign_in(clinic.olga)
    assert refused.get(LOG).status_code == 403
    assert AuditEvent.objects.filter(action=LogEvent.LOG_OPENED).count() == 2, "each question, and no reload"


def test_the_log_is_not_flooded_by_opening_it_again_and_again(clinic, sign_in, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    client, opened = sign_in(clinic.adam), AuditEvent.objects.filter(action=LogEvent.LOG_OPENED)
    for _ in range(5):
        client.get(LOG)
    assert opened.count() == 1
    client.get(LOG, {"client": "K-1"})
    assert opened.count() == 2, "another question is another look"
    time_machine.shift(61)
    client.get(LOG)
    assert opened.count() == 3


def test_which_client_was_searched_for_is_named_by_code(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.get(LOG, {"client": "k-1"})
    event = AuditEvent.objects.get(action=LogEvent.LOG_OPENED)
    assert (event.clients, event.client) == ([clinic.olgas.client_code.hex], None)
    assert "k-1" not in str(event.detail).lower()
    assert sentences(browser.get(LOG))[0] == "Adam opened the access log, searched for client K-1"
    assert sentences(browser.get(LOG, {"client": "K-1"}))[0].startswith("Adam opened the access log")
    browser.get(LOG, {"client": "K-"})
    assert sentences(browser.get(LOG))[0] == "Adam opened the access log, searched for 2 clients"
    assert sentences(browser.get(LOG, {"client": "K-2"})) == [
        "Adam opened the access log, searched for 2 clients, client K-2 among them"
    ]


def test_a_letter_that_finds_the_whole_clinic_names_nobody(clinic, sign_in):
    for number in range(101):
        cast.episode(clinic.olga, f"K-1{number}")
    sign_in(clinic.adam).get(LOG, {"client": "K-"})
    assert AuditEvent.objects.get(action=LogEvent.LOG_OPENED).clients is None


# --- How it reads --------------------------------------------------------------------------------


def test_days_have_headings_with_the_year_and_what_says_the_same_is_one_entry(clinic, sign_in, time_machine):
    for moment, by in (
        ("2025-12-31 23:50", clinic.olga),
        ("2026-01-01 00:05", clinic.olga),
        ("2026-01-01 00:10", clinic.olga),
        ("2026-01-01 09:00", clinic.carl),
        ("2026-01-01 09:30", clinic.olga),
    ):
        time_machine.move_to(timezone.make_aware(datetime.fromisoformat(moment)), tick=False)
        viewed(clinic, by=by)
    response = sign_in(clinic.adam).get(LOG, {"action": "viewed"})
    days = response.context["days"]
    assert [(str(day.date), [entry.times for entry in day.entries]) for day in days] == [
        ("2026-01-01", [1, 1, 2]),
        ("2025-12-31", [1]),
    ]
    assert "Thursday, 1 January 2026" in response.text
    assert "Wednesday, 31 December 2025" in response.text
    assert "2 times since 00:05" in response.text
    assert response.text.count("Olga viewed client K-1") == 3


# --- What is searched for ------------------------------------------------------------------------


def test_the_filters(clinic, sign_in, time_machine):
    for moment, by in (("2026-03-01 23:59", clinic.olga), ("2026-03-02 00:30", clinic.carl)):
        time_machine.move_to(timezone.make_aware(datetime.fromisoformat(moment)), tick=False)
        viewed(clinic, by=by)
    time_machine.move_to("2026-03-20 12:00:00+00:00", tick=False)
    browser = sign_in(clinic.adam)

    def found(**asked):
        return [one.split()[0] for one in sentences(browser.get(LOG, {"action": "viewed", **asked}))]

    assert found() == ["Carl", "Olga"]
    assert found(person=clinic.olga.pk) == ["Olga"]
    assert found(client="k-1") == ["Carl", "Olga"]
    assert found(client="K-2") == []
    assert found(until="2026-03-01") == ["Olga"], "days begin at midnight in the clinic's time zone"
    assert found(since="2026-03-02") == ["Carl"]
    assert found(action="client registered") == []
    time_machine.move_to("2026-05-01 12:00:00+00:00", tick=False)
    browser = sign_in(clinic.adam)
    assert found() == [], "a month at first"
    assert found(since="") == ["Carl", "Olga"]


def test_a_date_that_is_none_is_named(clinic, sign_in):
    response = sign_in(clinic.adam).get(LOG, {"since": "31.3."})
    assert response.status_code == 422
    assert "Write the date as year, month, day" in response.text
    assert sentences(response) == []


def test_a_full_page_costs_no_more_queries_than_a_short_one(clinic, sign_in):
    browser = sign_in(clinic.adam)

    def queries():
        browser.get(LOG)
        with CaptureQueriesContext(connection) as captured:
            browser.get(LOG)
        return len(captured)

    viewed(clinic)
    few = queries()
    for number in range(70):
        one = cast.episode(clinic.carl, f"Z-{number}")
        audit.record(LogEvent.VIEWED, one, by=cast.person(f"P{number}"), client=one.client_code)
    assert queries() == few


def test_a_long_log_is_counted_only_so_far_and_read_to_its_end(clinic, sign_in, monkeypatch):
    monkeypatch.setattr(long_list, "COUNT_TO", 60)
    for _ in range(130):
        viewed(clinic)
    browser, asked = sign_in(clinic.adam), {"action": "viewed"}
    first = browser.get(LOG, asked)
    assert "more than 60 lines, the newest first" in first.text
    assert "Page 1 of more than 2" in first.text
    last = browser.get(LOG, {**asked, "page": "3"})
    assert "130 lines" in last.text
    assert "Page 3 of 3" in last.text
    assert (len(sentences(first)), len(sentences(last))) == (50, 30)


def test_no_query_counts_or_reads_more_lines_than_so_many(clinic, sign_in):
    browser = sign_in(clinic.adam)
    with CaptureQueriesContext(connection) as captured:
        browser.get(LOG)
    of_the_log = [one["sql"] for one in captured if 'FROM "alliance_auditevent"' in one["sql"]]
    assert ["LIMIT 1001" in of_the_log[0], "LIMIT 51" in of_the_log[1], len(of_the_log)] == [True, True, 2]


@pytest.mark.postgresql
@pytest.mark.usefixtures("as_owner")
def test_counting_begins_with_the_newest_line(clinic):
    """Without an order, PostgreSQL takes the lines that are asked for as scattered, and reads from the oldest on."""
    AuditEvent.objects.bulk_create(
        AuditEvent(at=timezone.now() - timedelta(minutes=minutes), action="viewed", entity="client")
        for minutes in range(20_000, 0, -1)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE alliance_auditevent")
    found = LogSearch({"since": (timezone.localdate() - timedelta(days=10)).isoformat()}).found()
    plans = []
    for rows in (found, found.order_by()):
        with CaptureQueriesContext(connection) as captured:
            LongList(rows, 50).page(None)
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {captured[0]['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert ["Seq Scan" in plan for plan in plans] == [False, True], "the second is the control"


def test_a_choice_among_many_is_drawn_as_django_draws_it(clinic, sign_in):
    User.objects.create(name="<b>Bo</b> & 'co'", email="bo@clinic.example")
    for asked in ({}, {"person": str(clinic.olga.pk), "action": "viewed"}, {"person": "nobody"}):
        search, plain = LogSearch(asked), LogSearch(asked)
        for name in ("person", "action"):
            assert isinstance(search.fields[name].widget, QuickSelect)
            choices = plain.fields[name].widget.choices
            plain.fields[name].widget = forms.Select()
            plain.fields[name].widget.choices = choices
            assertHTMLEqual(str(search[name]), str(plain[name]))


def test_a_label_that_is_html_and_the_same_text_are_two_choices():
    for label, shown in (("<b>", "&lt;b&gt;"), (SafeString("<b>"), "<b>"), ("<b>", "&lt;b&gt;")):
        assert f">{shown}<" in QuickSelect(choices=[("", label)]).render("who", "")


# --- As a file -----------------------------------------------------------------------------------


def test_the_export_holds_what_was_filtered_and_is_itself_logged(clinic, administrator):
    viewed(clinic)
    viewed(clinic, by=clinic.carl)
    query = f"?person={clinic.olga.pk}&client=K-1&since="
    assert "Export 1 line of" in administrator.get(EXPORT + query).text
    response = administrator.post(EXPORT + query)
    assert response["Content-Disposition"].startswith('attachment; filename="access-log-')
    assert response["Cache-Control"] == "no-store"
    head, row = rows_of(response)
    assert head == ["When", "Who", "What", "Client", "Address"]
    assert row[1:4] == ["Olga (olga@clinic.example)", "Olga viewed client K-1", "K-1"]
    event = AuditEvent.objects.get(action="log exported")
    assert (event.actor, event.detail) == (clinic.adam.pk, {"asked": {"person": str(clinic.olga.pk)}})


def test_nothing_is_exported_by_looking_nor_with_a_wrong_filter(clinic, administrator):
    administrator.get(EXPORT)
    administrator.post(EXPORT + "?since=31.3.")
    assert not AuditEvent.objects.filter(action="log exported").exists()


def test_a_label_like_a_formula_reaches_the_file_as_text(clinic, administrator):
    clinic.olgas.client.label = '=HYPERLINK("//evil")'
    clinic.olgas.client.save()
    viewed(clinic)
    rows = rows_of(administrator.post(EXPORT))
    assert [row[3] for row in rows if "viewed" in row[2]] == ['\'=HYPERLINK("//evil")']


def test_a_long_export_comes_in_pieces_and_whole(clinic, administrator, monkeypatch):
    monkeypatch.setattr(access_log, "CHUNK", 3)
    for _ in range(8):
        viewed(clinic)
    rows = rows_of(administrator.post(EXPORT + "?action=viewed"))
    assert [row[3] for row in rows[1:]] == ["K-1"] * 8


def test_only_an_administrator_reads_or_exports_the_log(clinic, sign_in):
    for person in (clinic.olga, clinic.sina, clinic.strange):
        browser = sign_in(person)
        assert browser.get(LOG).status_code == 403
        assert browser.post(EXPORT).status_code == 403
    assert sign_in(clinic.adam).post(EXPORT).url.startswith(reverse("account_reauthenticate"))


@pytest.mark.parametrize("query", ["?until=9999-12-31", "?since=0001-01-01"])
def test_a_day_off_either_end_of_the_calendar_is_no_error(administrator, query):
    assert administrator.get(LOG + query).status_code == 200
