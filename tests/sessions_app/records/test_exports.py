"""What a person may see, as files: theirs alone, whole, and never half of a client who is being erased."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from clients.access_log import lines as in_words
from sessions_app.records import erasure_actions, export_file, sheets
from sessions_app.records.sheets import ErasedMeanwhile, Part, Scope
from tests import cast
from tests.alliance.sign_in import just_asked
from tests.built_once import copy_of, kept_open
from tests.sessions_app.records.courses import IN_SUPERVISION, full_course

pytestmark = pytest.mark.django_db
EXPORT = "/export/"
OFFICE = [
    "people",
    "supervisions",
    "clients",
    "episodes",
    "sessions",
    "day_corrections",
    "covers",
    "consents",
]


@pytest.fixture
def exporting(sign_in):
    def exporting(person, **asked):
        browser = just_asked(sign_in(person))
        answer = browser.post(EXPORT, {"separator": ",", **asked})
        assert answer.status_code == 200, answer.content
        return answer

    return exporting


def content(answer):
    return b"".join(answer.streaming_content)


def sheet_of(answer):
    """The text of the one sheet that was asked for."""
    archive = zipfile.ZipFile(io.BytesIO(content(answer)))
    assert archive.namelist()[:2] == ["columns.csv", "READ-ME.txt"]
    (name,) = archive.namelist()[2:]
    return archive.read(name).decode("utf-8-sig")


def rows_of(answer, separator=","):
    return list(csv.DictReader(io.StringIO(sheet_of(answer), newline=""), delimiter=separator))


def test_tenths_and_points_stand_in_columns_of_their_own(clinic, exporting):
    cast.rating(
        cast.therapy_session(clinic.olgas), None, relationship=95, goals=None, approach=0, overall=100
    )
    (row,) = rows_of(exporting(clinic.olga, part="own", what="ratings"))
    assert (row["relationship_tenths"], row["relationship_points"]) == ("95", "9.5")
    assert (row["goals_tenths"], row["goals_points"]) == ("", "")
    assert (row["approach_tenths"], row["approach_points"]) == ("0", "0.0")
    assert (row["total_tenths"], row["total_points"]) == ("", "")
    assert (row["counts"], row["session_number"]) == ("yes", "1")


def test_a_sheet_that_is_not_among_the_records_is_refused_with_a_sentence(clinic, sign_in):
    clinic.olga.is_administrator = True
    clinic.olga.save()
    answer = just_asked(sign_in(clinic.olga)).post(
        EXPORT, {"part": "clinic", "what": "ratings", "separator": ","}
    )
    assert answer.status_code == 422
    assert "not among these records" in answer.content.decode()


def test_a_label_in_a_list_with_semicolons_splits_into_no_formula(clinic, exporting):
    clinic.olgas.client.label = "a;=1+1"
    clinic.olgas.client.save()
    text = sheet_of(exporting(clinic.olga, part="own", what="clients"))
    for separator in (",", ";"):
        cells = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.startswith("=")]
    (row,) = rows_of(exporting(clinic.olga, part="own", what="clients", separator=";"), ";")
    assert row["client_label"] == "a;'=1+1"


def test_it_is_asked_whether_it_is_still_you_and_what_was_chosen_is_kept(clinic, sign_in):
    browser = sign_in(clinic.olga)
    answer = browser.post(EXPORT, {"part": "own", "what": "flags", "separator": ";"})
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert not AuditEvent.objects.filter(action="records exported").exists()
    text = browser.get(EXPORT).content.decode()
    assert '<option value="flags" selected>' in text
    assert '<option value=";" selected>' in text


def test_the_log_names_the_clients_whose_rows_left(clinic, exporting):
    exporting(clinic.olga, part="own", what="json")
    exporting(clinic.adam, part="clinic", what="zip")
    theirs, clinics = AuditEvent.objects.filter(action__contains="records exported").order_by("pk")
    assert theirs.clients == [clinic.olgas.client.code.hex]
    assert [line.sentence for line in in_words([theirs, clinics])] == [
        "Olga exported client K-1 as a file",
        "Adam exported people, clients, episodes and sessions as a file, without ratings",
    ]


def test_nothing_leaves_by_looking(clinic, sign_in):
    browser = sign_in(clinic.olga)
    assert browser.get(EXPORT).status_code == browser.get(EXPORT + "columns/").status_code == 200
    assert not AuditEvent.objects.filter(action="records exported").exists()


def test_a_long_export_comes_in_pages_each_row_once(clinic, monkeypatch):
    sessions = cast.rated_course(clinic.olgas, [380] * 7)
    monkeypatch.setattr(sheets, "PAGE", 3)
    found = {sheet.name: sheet for sheet in sheets.sheets(Part.OWN)}
    rows = list(sheets.values(found["ratings"], Scope(clinic.olga, Part.OWN)))
    column = found["ratings"].header.index("session_code")
    assert [row[column] for row in rows] == [str(one.code) for one in sessions]


@pytest.mark.parametrize("form", ["json", "zip"])
def test_a_file_that_is_sent_in_many_pieces_is_the_same_file(clinic, monkeypatch, time_machine, form):
    time_machine.move_to(timezone.now(), tick=False)
    cast.rated_course(clinic.olgas, [380] * 7)
    ratings = [sheet for sheet in sheets.sheets(Part.OWN) if sheet.name == "ratings"]

    def pieces():
        scope = Scope(clinic.olga, Part.OWN)
        if form == "zip":
            return list(export_file.as_zip(scope, ratings))
        return [piece.encode() for piece in export_file.as_json(scope)]

    at_once = pieces()
    monkeypatch.setattr(export_file, "ROWS_A_PIECE", 2)
    apart = pieces()
    assert len(apart) > len(at_once)
    assert b"".join(apart) == b"".join(at_once)


def test_who_is_no_administrator_has_no_client_in_the_clinics_part(clinic):
    for person in (clinic.olga, clinic.sina, clinic.strange):
        assert Scope(person, Part.CLINIC).clients() == []
    assert len(Scope(clinic.adam, Part.CLINIC).clients()) == 2


def test_three_rows_and_thirty_take_as_many_queries(clinic):
    counts = []
    for more in (3, 27):
        cast.rated_course(clinic.olgas, [380] * more, last_ago=timedelta(hours=2))
        with CaptureQueriesContext(connection) as queries:
            "".join(export_file.as_json(Scope(clinic.olga, Part.OWN)))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- A client with something in every table ---------------------------------------------------------


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        clinic = cast.clinic()
        yield clinic, full_course(clinic.olgas, "olga")


def erase(clinic):
    asked = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=asked, by=clinic.olga)


class TestOfAFullCourse:
    @pytest.fixture
    def clinic(self, built):
        return copy_of(built[0])

    @pytest.fixture
    def said(self, built):
        return built[1]

    def test_a_therapist_takes_away_everything_of_their_own_clients_and_of_nobody_elses(
        self, clinic, said, exporting
    ):
        others = full_course(clinic.carls, "carl")
        whole = json.loads(content(exporting(clinic.olga, part="own", what="json")))
        text = json.dumps(whole, ensure_ascii=False)
        assert {place for place, words in said.items() if words not in text} == set()
        assert [words for words in others.values() if words in text] == []
        assert IN_SUPERVISION not in text, "between therapist and supervisor: in no file"
        assert {name for name, rows in whole["sheets"].items() if not rows} == {
            "consents"
        }  # of a second course
        ratings = whole["sheets"]["ratings"]
        assert {row["client_label"] for row in ratings} == {said["label"]}
        assert (
            sorted(row["counts"] for row in ratings).count(False) == 3
        )  # corrected; replaced by marks set aside; none left

    def test_a_supervisor_is_given_the_clients_own_words_only_where_they_were_shared(
        self, clinic, said, exporting
    ):
        full_course(clinic.carls, "carl")
        text = content(exporting(clinic.sina, part="supervised", what="json")).decode()
        seen = {place for place, words in said.items() if words in text}
        assert seen == {
            "label",
            "shared",
            "said",
            "agreed",
            "later",
            "correction",
            "settled",
            "misfiled",
            "earlier",
            "edited",
            "day",
            *("answered", "decided", "looked", "switched_off"),
        }
        assert "-carl" not in text
        assert IN_SUPERVISION not in text
        assert "-olga" not in content(exporting(clinic.stefan, part="supervised", what="json")).decode()

    def test_an_administrator_is_given_people_and_dates_and_no_mark_or_word(self, clinic, said, exporting):
        whole = json.loads(content(exporting(clinic.adam, part="clinic", what="json")))
        assert list(whole["sheets"]) == OFFICE
        text = json.dumps(whole)
        assert {place for place, words in said.items() if words in text} == {"label", "day"}
        for word in ("tenths", "points", "rating", "flag", "comment", "password"):
            assert word not in text, word
        assert {row["client_label"] for row in whole["sheets"]["clients"]} == {said["label"], "K-2"}

    @pytest.mark.parametrize(
        ("who", "part"),
        [
            ("olga", "supervised"),
            ("olga", "clinic"),
            ("sina", "own"),
            ("adam", "own"),
            ("adam", "supervised"),
        ],
    )
    def test_nobody_is_given_a_part_of_a_role_they_do_not_have(self, clinic, sign_in, who, part):
        person = getattr(clinic, who)
        browser = just_asked(sign_in(person))
        assert browser.post(EXPORT, {"part": part, "what": "json", "separator": ","}).status_code == 422
        scope = Scope(person, Part(part))
        clinical = [sheet for sheet in sheets.sheets(Part.OWN) if list(sheets.values(sheet, scope))]
        assert clinical == []

    def test_the_zip_holds_every_sheet_and_what_the_columns_say(self, clinic, exporting):
        answer = exporting(clinic.olga, part="own", what="zip", separator=";")
        archive = zipfile.ZipFile(io.BytesIO(content(answer)))
        assert archive.testzip() is None
        names = [sheet.name for sheet in sheets.sheets(Part.OWN)]
        assert archive.namelist() == ["columns.csv", "READ-ME.txt", *(f"{name}.csv" for name in names)]
        text = archive.read("columns.csv").decode("utf-8-sig")
        said = {(row[0], row[1]) for row in csv.reader(io.StringIO(text), delimiter=";")}
        lines = 0
        for sheet in sheets.sheets(Part.OWN):
            text = archive.read(f"{sheet.name}.csv").decode("utf-8-sig")
            header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
            assert {(sheet.name, name) for name in header} <= said
            lines += len(rows)
        assert int(answer.headers["X-Rows"]) == lines

    @pytest.mark.parametrize("form", ["json", "zip"])
    def test_an_export_during_which_a_client_is_erased_breaks_off_instead_of_holding_half_of_them(
        self, clinic, form
    ):
        """The web server ends such an answer as any other: what came must not pass for a whole file."""
        scope = Scope(clinic.olga, Part.OWN)
        whole = sheets.sheets(Part.OWN)
        pieces = export_file.as_json(scope) if form == "json" else export_file.as_zip(scope, whole)
        begun = [next(pieces), next(pieces)]
        erase(clinic)
        with pytest.raises(ErasedMeanwhile):
            begun += list(pieces)
        if form == "zip":
            with pytest.raises(zipfile.BadZipFile):
                zipfile.ZipFile(io.BytesIO(b"".join(begun)))
        else:
            with pytest.raises(json.JSONDecodeError):
                json.loads("".join(begun))

    def test_control_an_export_without_an_erasure_ends(self, clinic):
        pieces = export_file.as_json(Scope(clinic.olga, Part.OWN))
        next(pieces)
        assert list(pieces)[-1] == "}}\n"
