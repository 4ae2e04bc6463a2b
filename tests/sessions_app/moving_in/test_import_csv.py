"""The same from the command line, for files that lie on the server."""

import pytest
from django.core.management import CommandError, call_command

from clients.models import Client
from sessions_app.moving_in.models import ImportRun
from tests.sessions_app.moving_in.files import clients

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
    with pytest.raises(CommandError, match="1 rows are wrong"):
        call_command("import_csv", "clients", file(clients("1;C-1;de;adult;;", "2;;de;adult;;")), **BY)
    assert "Row 3, Label: This is empty." in capsys.readouterr().out
    assert not Client.objects.filter(label="C-1").exists()


def test_a_column_is_named_by_its_heading(clinic, file):
    path = file("Aktenzeichen;Kürzel\nA-1;C-1\n")
    with pytest.raises(CommandError, match="No heading is known for number"):
        call_command("import_csv", "clients", path, **BY)
    with pytest.raises(CommandError, match="no heading “Nr”"):
        call_command("import_csv", "clients", path, column=["number=Nr"], **BY)
    call_command("import_csv", "clients", path, column=["number=Aktenzeichen"], **BY)
    assert Client.objects.filter(label="C-1").exists()


def test_only_an_administrator_answers_for_it(clinic, file):
    with pytest.raises(CommandError, match="not an administrator"):
        call_command("import_csv", "clients", file(clients("1;C-1;de;adult;;")), by="olga@clinic.example")
