"""The same from the command line, for files that lie on the server."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clients.models import Client
from sessions_app.courses.models import Rating
from sessions_app.moving_in.models import ImportRun
from tests import cast
from tests.sessions_app.moving_in.files import a_client, clients, sessions

pytestmark = pytest.mark.django_db
BY = {"by": "adam@clinic.example"}


@pytest.fixture
def file(tmp_path):
    def written(content: str):
        path = tmp_path / "clients.csv"
        path.write_text(content, "utf-8")
        return str(path)

    return written


def test_a_check_changes_nothing_and_an_import_says_what_it_did(clinic, file, capsys):
    path = file(clients("1;C-1;de;adult;olga@clinic.example;2025-01-13"))
    call_command("import_csv", "clients", path, check=True, **BY)
    assert "1 new, 0 changed, 0 here already, 0 wrong." in capsys.readouterr().out
    assert not Client.objects.filter(label="C-1").exists()
    call_command("import_csv", "clients", path, **BY)
    assert "Imported: clients." in capsys.readouterr().out
    assert Client.objects.filter(label="C-1").count() == 1
    call_command("import_csv", "clients", path, **BY)
    assert "0 new, 0 changed, 1 here already" in capsys.readouterr().out
    assert not ImportRun.objects.with_file().exists()


def test_wrong_rows_are_named_and_nothing_is_stored(clinic, file, capsys):
    with pytest.raises(CommandError, match="1 row is wrong"):
        call_command("import_csv", "clients", file(clients("1;C-1;de;adult;;", "2;;de;adult;;")), **BY)
    assert "Row 3, Label: This is empty." in capsys.readouterr().out
    assert not Client.objects.filter(label="C-1").exists()


def test_a_column_is_named_by_its_heading(clinic, file):
    path = file("Aktenzeichen;Kürzel\nA-1;C-1\n")
    with pytest.raises(CommandError, match="No heading is known for number"):
        call_command("import_csv", "clients", path, **BY)
    with pytest.raises(CommandError, match="no heading “Nr”"):
        call_command("import_csv", "clients", path, column=["number=Nr"], **BY)
    assert not ImportRun.objects.with_file().exists()
    call_command("import_csv", "clients", path, column=["number=Aktenzeichen"], **BY)
    assert Client.objects.filter(label="C-1").exists()


def test_only_an_administrator_answers_for_it(clinic, file):
    with pytest.raises(CommandError, match="not an administrator"):
        call_command("import_csv", "clients", file(clients("1;C-1;de;adult;;")), by="olga@clinic.example")


def test_what_is_not_there_is_a_sentence_and_leaves_nothing_waiting(clinic, file, tmp_path):
    path = file(clients("1;C-1;de;adult;;"))
    with pytest.raises(CommandError, match=r"There is no file .*absent.csv"):
        call_command("import_csv", "clients", str(tmp_path / "absent.csv"), **BY)
    with pytest.raises(CommandError, match=r"There is no column size. The columns are number, label"):
        call_command("import_csv", "clients", path, column=["size=Label"], **BY)
    with pytest.raises(CommandError, match="Below the first row there is nothing"):
        call_command("import_csv", "clients", file("Number;Label\n"), **BY)
    with pytest.raises(CommandError, match="Its first row must name the columns"):
        call_command("import_csv", "clients", file("\n"), **BY)
    assert not ImportRun.objects.with_file().exists()
    assert not Client.objects.filter(label="C-1").exists()


def test_a_form_or_an_edition_that_the_clinic_does_not_have_is_a_sentence(clinic, file):
    """The marks would be kept without the words that the clients read, and nobody would know."""
    a_client(clinic.adam)
    wording = cast.wording(clinic.adam, edition="2026")
    path = file(sessions("4711;2025-01-20;;;;;;38"))
    for form in ("srs:2062", "diary"):
        with pytest.raises(
            CommandError, match=rf"There is no form {form}\. There are session-rating, .*srs:2026\."
        ):
            call_command("import_csv", "sessions", path, form=form, **BY)
    assert not Rating.objects.exists()
    call_command("import_csv", "sessions", path, form="srs:2026", **BY)
    assert Rating.objects.get().wording == wording


def test_encoding_and_delimiter_are_as_they_are_said_to_be(clinic, tmp_path):
    path = tmp_path / "clients.csv"
    path.write_bytes("Number;Label\n1;Ł. ť\n".encode("cp1250"))
    with pytest.raises(CommandError, match="No heading is known for number"):
        call_command("import_csv", "clients", str(path), delimiter="|", **BY)
    call_command("import_csv", "clients", str(path), encoding="cp1250", **BY)
    assert Client.objects.filter(label="Ł. ť").exists()
    with pytest.raises(CommandError, match="cannot be read as UTF-8"):
        call_command("import_csv", "clients", str(path), encoding="utf-8-sig", **BY)
    assert not ImportRun.objects.with_file().exists()


def test_a_bar_is_drawn_on_a_terminal_alone(clinic, file, monkeypatch):
    """Whoever keeps the output in a file finds sentences in it."""
    path = file(clients("1;C-1;de;adult;;"))
    out, err = StringIO(), StringIO()
    call_command("import_csv", "clients", path, check=True, stdout=out, stderr=err, **BY)
    assert err.getvalue() == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    call_command("import_csv", "clients", path, stdout=out, stderr=err, **BY)
    assert f"\r[{'#' * 20}{'.' * 20}] 1 rows checked" in err.getvalue()
    assert "1 rows written" in err.getvalue()
    assert "#" not in out.getvalue()
