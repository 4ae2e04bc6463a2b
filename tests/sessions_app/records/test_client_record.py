"""The whole record of a client: everything the therapist holds, to read and as JSON."""

import json
import re

import pytest
from django.urls import reverse

from alliance.models import AuditEvent
from clients.access_log import lines as in_words
from clients.models import Episode
from sessions_app.records import client_record, sheets
from sessions_app.records.sheets import Part
from tests import cast
from tests.alliance.sign_in import just_asked
from tests.sessions_app.records.courses import IN_SUPERVISION, full_course

pytestmark = pytest.mark.django_db


def address(clinic):
    return reverse("records:client", args=[clinic.olgas.client.code])


@pytest.fixture
def olgas_browser(clinic, sign_in):
    return just_asked(sign_in(clinic.olga))


def test_both_shapes_hold_every_word(clinic, olgas_browser):
    said = full_course(clinic.olgas)
    for shape in ("page", "json"):
        text = olgas_browser.post(address(clinic), {"shape": shape}).content.decode()
        assert {place for place, words in said.items() if words not in text} == set(), shape
        assert IN_SUPERVISION not in text, "a client may be given all of it"


def test_each_row_of_each_sheet_is_in_it_once_where_it_belongs(clinic):
    full_course(clinic.olgas)
    full_course(clinic.carls, "carls")
    record = client_record.read(clinic.olgas.client, clinic.olga).as_json()
    (episode,) = record["client"]["episodes"]
    assert [one["session_number"] for one in episode["sessions"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    counted = {}
    for session in episode["sessions"]:
        for name, rows in session.items():
            if isinstance(rows, list):
                counted[name] = counted.get(name, 0) + len(rows)
    scope = sheets.Scope(clinic.olga, Part.OWN)
    expected = {
        sheet.name: len(list(sheets.values(sheet, scope)))
        for sheet in sheets.sheets(Part.OWN)
        if sheet.table.session
    }
    assert counted == expected
    assert 0 not in expected.values()
    assert "-carls" not in json.dumps(record)


def test_the_page_says_figures_in_points_and_names_in_words(clinic, olgas_browser):
    cast.rating(
        cast.therapy_session(clinic.olgas), None, relationship=95, goals=None, approach=0, overall=100
    )
    text = olgas_browser.post(address(clinic), {"shape": "page"}).content.decode()
    facts = dict(re.findall(r"<dt>([^<]+)</dt><dd dir=\"auto\">([^<]+)</dd>", text))
    assert (facts["Relationship"], facts["Goals"], facts["Approach"]) == ("9.5", "not answered", "0.0")
    assert facts["Mode"] == "On the lines"
    assert facts["Attendance"] == "Attended"
    assert clinic.olgas.client.label not in re.search("<title>.*</title>", text, re.S)[0]


def test_a_course_with_a_colleague_is_theirs_to_give(clinic, olgas_browser):
    cast.rating(cast.therapy_session(clinic.olgas), 380)
    with_carl = Episode.objects.create(
        client=clinic.olgas.client, therapist=clinic.carl, opened_on=cast.STARTED
    )
    cast.rating(cast.therapy_session(with_carl), 200, comment="said to Carl")
    text = olgas_browser.post(address(clinic), {"shape": "json"}).content.decode()
    assert "said to Carl" not in text
    assert "Carl" not in text


@pytest.mark.parametrize(("who", "status"), [("carl", 404), ("sina", 403), ("adam", 403), ("strange", 403)])
def test_nobody_but_the_therapist_makes_it(clinic, sign_in, who, status):
    browser = just_asked(sign_in(getattr(clinic, who)))
    for answer in (browser.get(address(clinic)), browser.post(address(clinic), {"shape": "json"})):
        assert answer.status_code == status
    assert not AuditEvent.objects.filter(action="record made").exists()


def test_it_is_asked_whether_it_is_still_you_and_written_to_the_log(clinic, sign_in):
    browser = sign_in(clinic.olga)
    answer = browser.post(address(clinic), {"shape": "json"})
    assert answer.url.startswith(reverse("account_reauthenticate"))
    browser = just_asked(browser)
    assert browser.get(address(clinic)).status_code == 200
    assert not AuditEvent.objects.filter(action="record made").exists()
    answer = browser.post(address(clinic), {"shape": "json"})
    assert "K-1" not in answer.headers["Content-Disposition"]
    (line,) = in_words(AuditEvent.objects.filter(action="record made"))
    assert line.sentence == "Olga made a file of the whole record of client K-1"


def test_a_client_without_a_session_has_a_record_too(clinic, olgas_browser):
    text = olgas_browser.post(address(clinic), {"shape": "page"}).content.decode()
    assert "No session." in text
