"""The administrator's way from a file to what is imported, without scripts."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError
from django.urls import reverse

from clients.models import Client
from sessions_app.courses.models import Rating
from sessions_app.moving_in.columns import SHEETS, Kind
from sessions_app.moving_in.models import ImportRun
from tests import cast
from tests.sessions_app.moving_in.files import a_client, clients, sessions

pytestmark = pytest.mark.django_db
CANARY = "7.3"


@pytest.fixture
def office(clinic, sign_in):
    """Adam, who has just shown that it is he."""
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def load(browser, kind: Kind, content: str | bytes, name: str = "file.csv"):
    raw = content if isinstance(content, bytes) else content.encode()
    return browser.post(reverse("import:load"), {"kind": kind.value, "file": SimpleUploadedFile(name, raw)})


def text_of(answer) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def columns_as_guessed(run: ImportRun, **more: str) -> dict[str, str]:
    places = {f"column_{name}": str(place) for name, place in run.columns.items()}
    return {**places, "month_first": "day", **more}


def check(browser, run: ImportRun, **more: str) -> str:
    return text_of(browser.post(reverse("import:columns", args=[run.code]), columns_as_guessed(run, **more)))


class TestTheWay:
    def test_from_a_file_to_clients(self, office, clinic):
        answer = load(
            office, Kind.CLIENTS, clients("1;C-1;de;adult;olga@clinic.example;2025-01-13", "2;C-2;en;;;")
        )
        run = ImportRun.objects.get()
        assert answer.url == reverse("import:run", args=[run.code])
        page = text_of(office.get(answer.url, follow=True))
        assert "Which column is which?" in page
        assert "C-1" in page
        working = check(office, run)
        assert "2 rows looked at" in working
        assert working.rstrip().endswith("</html>")
        assert "This would be imported" in text_of(office.get(answer.url))
        assert not Client.objects.filter(label="C-1").exists()
        done = text_of(office.post(reverse("import:confirm", args=[run.code])))
        assert "2 rows written" in done
        assert "See what came of it" in done
        assert Client.objects.filter(label__in=["C-1", "C-2"]).count() == 2
        assert "The file itself is removed" in text_of(office.get(answer.url))
        again = text_of(office.post(reverse("import:confirm", args=[run.code])))
        assert "This file was imported already." in again

    def test_mistakes_are_told_by_row_and_as_a_file(self, office, clinic):
        load(office, Kind.CLIENTS, clients("1;;de;adult;;", "2;C-2;Klingon;;;", "3;=1+1;en;;;nonsense"))
        run = ImportRun.objects.get()
        check(office, run)
        page = text_of(office.get(reverse("import:run", args=[run.code])))
        assert "3 rows are wrong" in page
        assert "“Klingon” is no language of the form this site knows" in page
        assert "Import</button>" not in page
        rows = list(csv.reader(io.StringIO(text_of(office.get(reverse("import:remarks", args=[run.code]))))))
        assert [row[:2] for row in rows[1:]] == [
            ["2", "Label"],
            ["3", "Language of the form"],
            ["4", "Opened on"],
        ]

    def test_a_column_that_was_not_guessed_is_chosen(self, office, clinic):
        load(office, Kind.CLIENTS, "Aktenzeichen;Kürzel\nA-1;C-1\n")
        run = ImportRun.objects.get()
        assert run.columns == {"label": 1}
        refused = office.post(reverse("import:columns", args=[run.code]), columns_as_guessed(run))
        assert refused.status_code == 422
        assert "Number: Choose the column." in text_of(refused)
        twice = office.post(
            reverse("import:columns", args=[run.code]), columns_as_guessed(run, column_number="1")
        )
        assert "This column is chosen for" in text_of(twice)
        check(office, run, column_number="0")
        run.refresh_from_db()
        assert run.is_ready

    def test_another_encoding_than_was_found_out(self, office, clinic):
        load(office, Kind.CLIENTS, "Number;Label\n1;Ł. Ś.\n".encode("cp1250"))
        run = ImportRun.objects.get()
        office.post(reverse("import:layout", args=[run.code]), {"encoding": "cp1250", "delimiter": ";"})
        assert "Ł. Ś." in text_of(office.get(reverse("import:columns", args=[run.code])))

    def test_a_wrong_encoding_is_a_sentence_and_has_a_way_back(self, office, clinic):
        load(office, Kind.CLIENTS, "Number;Label\n1;Ä\n".encode("cp1252"))
        run = ImportRun.objects.get()
        chosen = {"encoding": "utf-8-sig", "delimiter": ";"}
        office.post(reverse("import:layout", args=[run.code]), chosen)
        page = office.get(reverse("import:columns", args=[run.code]))
        assert "cannot be read as UTF-8" in text_of(page)
        office.post(reverse("import:layout", args=[run.code]), {**chosen, "encoding": "cp1252"})
        assert "Ä" in text_of(office.get(reverse("import:columns", args=[run.code])))

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("clients.xlsx", b"PK", "This is a spreadsheet. Save it as CSV first."),
            ("clients.csv", b"", "This file is empty."),
            ("clients.csv", b"\n\n", "The file is empty. Its first row must name the columns."),
        ],
    )
    def test_what_is_no_such_file_is_a_sentence(self, office, clinic, name, content, sentence):
        answer = load(office, Kind.CLIENTS, content, name)
        assert answer.status_code == 422
        assert sentence in text_of(answer)
        assert not ImportRun.objects.exists()

    def test_a_file_that_is_too_large_is_a_sentence_with_what_to_do(self, office, clinic, monkeypatch):
        monkeypatch.setattr("sessions_app.moving_in.forms.MOST_BYTES", 20)
        answer = load(office, Kind.CLIENTS, clients("1;C-1;de;adult;;"))
        assert answer.status_code == 422
        assert "Divide it, or use manage.py import_csv." in text_of(answer)
        assert not ImportRun.objects.exists()

    def test_a_file_of_people_is_asked_about_no_days_and_no_form(self, office, clinic):
        load(office, Kind.PEOPLE, "E-mail;Name;Rolle\nolga@clinic.example;Olga Renamed;therapist\n")
        run = ImportRun.objects.get()
        page = text_of(office.get(reverse("import:columns", args=[run.code])))
        assert "Change people who are here already" in page
        assert "Days with slashes" not in page
        assert "Form on which the marks were made" not in page
        check(office, run, update="on")
        text_of(office.post(reverse("import:confirm", args=[run.code])))
        clinic.olga.refresh_from_db()
        assert clinic.olga.name == "Olga Renamed"

    def test_ratings_without_a_column_of_marks_are_refused(self, office, clinic):
        load(office, Kind.RATINGS, "Session id;Client;Date;Points\nS-1;;;38\n")
        run = ImportRun.objects.get()
        address = reverse("import:columns", args=[run.code])
        chosen = columns_as_guessed(run, form="session-rating")
        refused = office.post(address, chosen)
        assert refused.status_code == 422
        assert "Choose the columns of the lines, or the one of the total." in text_of(refused)
        text_of(office.post(address, {**chosen, "column_total": "3"}))
        page = text_of(office.get(reverse("import:run", args=[run.code])))
        assert "No session S-1 was imported. Import the sessions first." in page

    def test_a_file_that_is_imported_or_removed_leads_back_from_every_page_of_it(self, office, clinic):
        load(office, Kind.CLIENTS, clients("1;C-1;de;adult;;"))
        run = ImportRun.objects.get()
        here = reverse("import:run", args=[run.code])
        assert office.get(reverse("import:remarks", args=[run.code])).url == here  # not checked yet
        check(office, run)
        text_of(office.post(reverse("import:confirm", args=[run.code])))
        assert office.get(reverse("import:columns", args=[run.code])).url == here
        assert office.get(reverse("import:remarks", args=[run.code])).url == here
        page = office.post(reverse("import:remove", args=[run.code]), follow=True)
        assert "This file was imported already." in text_of(page)
        assert "This file was imported already." in text_of(
            office.post(reverse("import:check", args=[run.code]))
        ) + text_of(office.post(reverse("import:confirm", args=[run.code])))
        assert Client.objects.filter(label="C-1").count() == 1

    def test_a_check_is_made_again_without_choosing_the_columns_again(self, office, clinic):
        load(office, Kind.CLIENTS, clients("1;C-1;de;adult;;"))
        run = ImportRun.objects.get()
        check(office, run)
        Client.objects.create(label="C-1", language="en")
        assert "1 row looked at" in text_of(office.post(reverse("import:check", args=[run.code])))
        page = text_of(office.get(reverse("import:run", args=[run.code])))
        assert "A client C-1 is here already, without this number." in page
        assert "Import</button>" not in page

    def test_a_file_whose_key_is_gone_is_a_sentence_on_each_page_and_can_be_removed(
        self, office, clinic, settings
    ):
        load(office, Kind.CLIENTS, clients("1;;de;adult;;"))
        run = ImportRun.objects.get()
        check(office, run)
        settings.SECRET_KEY = "another-" + "1" * 50
        settings.SECRET_KEY_FALLBACKS = []
        office.force_login(clinic.adam, backend="allauth.account.auth_backends.AuthenticationBackend")
        gone = "sealed with a key that the site no longer has. Load it again."
        page = office.get(reverse("import:columns", args=[run.code]))
        assert page.status_code == 200
        assert gone in text_of(page)
        rows = text_of(office.get(reverse("import:remarks", args=[run.code])))
        assert gone in rows
        assert rows.count("\n") == 2
        office.post(reverse("import:remove", args=[run.code]))
        assert not run.parts.exists()

    def test_an_example_of_no_kind_is_not_there(self, office, clinic):
        assert office.get(reverse("import:example"), {"kind": "invoices"}).status_code == 404
        assert office.get(reverse("import:example")).status_code == 404

    def test_a_file_can_be_removed(self, office, clinic):
        load(office, Kind.CLIENTS, clients("1;C-1;de;adult;;"))
        run = ImportRun.objects.get()
        office.post(reverse("import:remove", args=[run.code]))
        assert "nothing of it was imported" in text_of(office.get(reverse("import:run", args=[run.code])))
        assert not run.parts.exists()

    @pytest.mark.parametrize("kind", Kind)
    def test_every_example_file_is_read_with_all_its_columns(self, office, clinic, kind):
        example = office.get(reverse("import:example"), {"kind": kind.value}).content
        load(office, kind, example)
        assert len(ImportRun.objects.get().columns) == len(SHEETS[kind].columns)


class TestWhoeverIsAtTheScreen:
    def test_is_asked_before_a_file_is_chosen_and_before_it_is_imported(self, clinic, sign_in, time_machine):
        browser = sign_in(clinic.adam)
        assert "reauthenticate" in browser.get(reverse("import:load")).url
        assert browser.get(reverse("import:list")).status_code == 200
        run = ImportRun.objects.create(
            kind="clients", file_name="x", size=1, encoding="utf-8-sig", delimiter=","
        )
        assert "reauthenticate" in browser.post(reverse("import:confirm", args=[run.code])).url


class TestMarks:
    """The office brings them, and is shown none."""

    def test_stand_on_no_page_on_the_way(self, office, clinic):
        a_client(clinic.adam)
        rows = (f"4711;2025-01-20;;{CANARY};{CANARY};{CANARY};{CANARY};", f"4711;2025-01-27;;{CANARY}9;;;;")
        load(office, Kind.SESSIONS, sessions(*rows))
        run = ImportRun.objects.get(kind="sessions")
        pages = [
            text_of(office.get(reverse("import:columns", args=[run.code]))),
            check(office, run, form="session-rating"),
            text_of(office.get(reverse("import:run", args=[run.code]))),
            text_of(office.get(reverse("import:remarks", args=[run.code]))),
            text_of(office.get(reverse("import:list"))),
        ]
        assert "Relationship" in pages[2]
        assert not any(CANARY in page for page in pages)

    def test_in_a_column_that_is_not_used_are_not_shown_either(self, office, clinic):
        load(office, Kind.CLIENTS, f"Number;Label;SRS\n1;C-1;{CANARY}\n")
        run = ImportRun.objects.get()
        page = text_of(office.get(reverse("import:columns", args=[run.code])))
        assert "SRS" in page
        assert "Not used" in page
        assert CANARY not in page

    def test_go_to_the_therapist(self, office, clinic):
        a_client(clinic.adam)
        load(office, Kind.SESSIONS, sessions(f"4711;2025-01-20;;{CANARY};{CANARY};{CANARY};{CANARY};"))
        run = ImportRun.objects.get(kind="sessions")
        check(office, run, form="session-rating")
        assert "1 row written" in text_of(office.post(reverse("import:confirm", args=[run.code])))
        assert Rating.objects.visible_to(clinic.olga).get().total == 292
        assert not Rating.objects.visible_to(clinic.carl).exists()
        assert not Rating.objects.visible_to(clinic.adam).exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OperationalError("database is locked"), "Nothing was changed by this one"),
        (IntegrityError("one_open_episode"), "Nothing was imported: check it again"),
    ],
    ids=["a broken database", "what somebody made by hand meanwhile"],
)
def test_an_import_that_breaks_off_in_the_middle_is_a_sentence_and_stores_nothing(
    office, clinic, monkeypatch, error, sentence
):
    load(office, Kind.CLIENTS, clients("1;C-1;de;adult;;"))
    run = ImportRun.objects.get()
    check(office, run)

    def breaks(*_, **__):
        raise error

    monkeypatch.setattr("sessions_app.moving_in.client_import.ClientImport.finish", breaks)
    said = text_of(office.post(reverse("import:confirm", args=[run.code])))
    assert sentence in said
    assert not Client.objects.filter(label="C-1").exists()
