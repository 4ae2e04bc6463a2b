"""An imported file on its way: sealed, read, checked, imported whole, removed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alliance.models import AuditEvent, Role
from alliance.operations import checks_of_key
from alliance.operations.findings import State
from alliance.refused import Refused
from clients.models import Client
from sessions_app.moving_in import import_actions
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportedNumber, ImportPart, ImportRun
from sessions_app.moving_in.walk import Options
from sessions_app.records import erasure_actions
from tests import cast
from tests.sessions_app.moving_in.files import OLGA, a_hundred, checked, clients, finished, imported, loaded

pytestmark = pytest.mark.django_db


class TestTheFile:
    def test_is_sealed_while_it_waits_and_gone_with_the_import(self, clinic):
        run = loaded(Kind.CLIENTS, clients("1;canary-7c1f;de;adult;;"), clinic.adam)
        assert all(b"canary" not in bytes(part.sealed) for part in ImportPart.objects.all())
        for _tally in import_actions.check(run=run, by=clinic.adam):
            pass
        run.refresh_from_db()
        finished(run, clinic.adam)
        assert not ImportPart.objects.exists()
        with pytest.raises(Refused, match="imported already"):
            finished(run, clinic.adam)

    def test_that_nobody_imports_is_removed_after_a_day(self, clinic, time_machine):
        run = checked(Kind.CLIENTS, clients("1;;de;adult;;"), clinic.adam)
        time_machine.move_to(timezone.now() + timedelta(hours=23))
        assert import_actions.remove_past() == 0
        time_machine.shift(timedelta(hours=2))
        assert import_actions.remove_past() == 1
        run.refresh_from_db()
        assert (run.has_file, run.remarks, ImportPart.objects.count()) == (False, [], 0)
        with pytest.raises(Refused, match="not here any more"):
            list(import_actions.check(run=run, by=clinic.adam))

    def test_that_was_removed_in_another_window_is_neither_read_nor_imported(self, clinic):
        run = checked(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
        import_actions.remove_file(run=run, by=clinic.adam)
        for act in (
            lambda: import_actions.read_otherwise(run=run, encoding="cp1252", delimiter=","),
            lambda: import_actions.choose_columns(run=run, columns=run.columns, options=Options()),
            lambda: finished(run, clinic.adam),
            lambda: import_actions.remove_file(run=run, by=clinic.adam),
        ):
            with pytest.raises(Refused, match="not here any more"):
                act()
        assert AuditEvent.objects.filter(action="import file removed").count() == 1
        assert not Client.objects.filter(label="C-1").exists()

    def test_that_the_clock_removes_is_counted_once_though_somebody_is_faster(self, clinic, time_machine):
        first, _second = (loaded(Kind.CLIENTS, clients("1;A;de;adult;;"), clinic.adam) for _ in range(2))
        time_machine.move_to(timezone.now() + timedelta(hours=25))
        remove = import_actions.remove_file

        def faster(*, run, by):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(import_actions, "remove_file", remove)
                if run.pk == first.pk:
                    remove(run=run, by=clinic.adam)
            return remove(run=run, by=by)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(import_actions, "remove_file", faster)
            out = StringIO()
            call_command("remove_import_files", stdout=out)
        assert out.getvalue() == "1 files that were not imported are removed.\n"
        assert not ImportPart.objects.exists()
        call_command("remove_import_files", stdout=(silent := StringIO()))
        assert silent.getvalue() == ""

    def test_that_was_not_checked_or_understood_otherwise_since_is_not_imported(self, clinic):
        run = loaded(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
        with pytest.raises(Refused, match="Check the file first"):
            finished(run, clinic.adam)
        run = checked(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
        run = import_actions.choose_columns(run=run, columns=run.columns, options=Options(update=True))
        with pytest.raises(Refused, match="Check the file first"):
            finished(run, clinic.adam)
        assert not Client.objects.filter(label="C-1").exists()

    def test_whose_columns_are_chosen_anew_during_the_check_has_to_be_checked_again(self, clinic):
        run = loaded(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
        check = import_actions.check(run=run, by=clinic.adam)
        next(check)
        columns = {name: place for name, place in run.columns.items() if name != "age_band"}
        import_actions.choose_columns(run=run, columns=columns, options=Options())
        with pytest.raises(Refused, match="chosen anew meanwhile"):
            list(check)
        run.refresh_from_db()
        assert not run.is_checked

    def test_that_is_too_large_is_refused_and_nothing_of_it_is_kept(self, clinic, monkeypatch):
        monkeypatch.setattr(import_actions, "MOST_BYTES", 20)
        with pytest.raises(Refused, match=r"This file is larger than .* manage.py import_csv"):
            loaded(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
        assert not ImportRun.objects.exists()
        assert not ImportPart.objects.exists()
        assert not AuditEvent.objects.filter(action="import file loaded").exists()

    def test_whose_key_goes_between_check_and_import_is_a_sentence(self, clinic, settings):
        run = checked(Kind.CLIENTS, clients("1;A;de;adult;;"), clinic.adam)
        settings.SECRET_KEY = "another-" + "1" * 50
        with pytest.raises(Refused, match=r"sealed with a key .* Load it again"):
            finished(run, clinic.adam)
        assert not Client.objects.filter(label="A").exists()

    def test_sealed_with_a_key_that_is_gone_is_a_sentence(self, clinic, settings):
        run = loaded(Kind.CLIENTS, clients("1;A;de;adult;;"), clinic.adam)
        earlier, settings.SECRET_KEY = settings.SECRET_KEY, "another-" + "1" * 50
        with pytest.raises(Refused, match="sealed with a key"):
            list(import_actions.check(run=run, by=clinic.adam))
        (finding,) = checks_of_key.key()
        assert "1 of 1 files that wait to be imported cannot be opened" in finding.sentence
        settings.SECRET_KEY_FALLBACKS = [earlier]
        assert [finding.state for finding in checks_of_key.key()] == [State.OK]
        assert len(list(import_actions.check(run=run, by=clinic.adam))) == 1

    def test_a_piece_opens_in_its_own_place_alone(self, clinic):
        first = loaded(Kind.CLIENTS, clients("1;A;de;adult;;"), clinic.adam)
        other = loaded(Kind.CLIENTS, clients("2;B;de;adult;;"), clinic.adam)
        ImportPart.objects.filter(run=other).update(sealed=first.parts.get().sealed)
        with pytest.raises(Refused, match="sealed"):
            list(import_actions.check(run=other, by=clinic.adam))

    @pytest.mark.parametrize("content", [b"", b"\n", b"Number;Label\n"])
    def test_with_nothing_in_it_is_a_sentence(self, clinic, content):
        with pytest.raises(Refused, match=r"empty|nothing in this file"):
            checked(Kind.CLIENTS, content, clinic.adam)
        assert not ImportRun.objects.filter(imported_at__isnull=False).exists()


def test_an_erasure_takes_files_that_wait_and_the_numbers_along(clinic):
    """A file may name the client who is erased, and nobody can look into it."""
    imported(Kind.CLIENTS, clients(f"1;canary-7c1f;de;adult;{OLGA};2025-01-13"), clinic.adam)
    waiting = checked(Kind.CLIENTS, clients("1;canary-7c1f;en;;;", "2;;;;;"), clinic.adam)
    ImportRun.objects.filter(pk=waiting.pk).update(file_name="canary-7c1f.csv")
    client = ImportedNumber.objects.get(number="1").client
    other = cast.person("Otto", Role.ADMINISTRATOR)
    erasure = erasure_actions.ask(client=client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=erasure, by=other)
    assert not ImportPart.objects.exists()
    assert not ImportedNumber.objects.exists()
    assert "canary" not in str(list(ImportRun.objects.values()))


def test_whoever_stops_reading_leaves_nothing_half_done(clinic, monkeypatch):
    """A browser that is closed, or a server that is restarted, ends the stream in the middle."""
    monkeypatch.setattr("sessions_app.moving_in.walk.ROWS_AT_ONCE", 10)
    run = checked(Kind.CLIENTS, a_hundred(), clinic.adam)
    before = Client.objects.count()
    steps = import_actions.import_file(run=run, by=clinic.adam)
    for _ in range(3):
        next(steps)
    assert Client.objects.count() == before + 30
    steps.close()
    assert Client.objects.count() == before
    run.refresh_from_db()
    assert run.is_ready
    assert finished(run, clinic.adam).counts["new"] == 100


def test_what_changed_since_the_check_stops_the_import(clinic):
    run = checked(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
    Client.objects.create(label="C-1", language="en")
    with pytest.raises(Refused, match="not any more"):
        finished(run, clinic.adam)
    assert not ImportedNumber.objects.exists()


def test_the_log_names_each_client_and_is_found_by_it(clinic):
    imported(Kind.CLIENTS, clients(f"1;C-1;de;adult;{OLGA};2025-01-13", "2;C-2;de;adult;;"), clinic.adam)
    for number, actions in (("1", ["client imported", "episode opened"]), ("2", ["client imported"])):
        code = ImportedNumber.objects.get(number=number).client.code
        lines = AuditEvent.objects.filter(client=code).order_by("pk")
        assert [line.action for line in lines] == actions
        assert all(line.actor == clinic.adam.pk for line in lines)
    assert AuditEvent.objects.get(action="file imported").detail["kind"] == "clients"


def test_queries_of_a_batch_are_the_same_for_few_and_many_rows(clinic):
    counts = []
    for many in (3, 30):
        rows = [f"{many}-{number};X-{many}-{number};de;adult;{OLGA};2025-01-13" for number in range(many)]
        run = checked(Kind.CLIENTS, clients(*rows), clinic.adam)
        with CaptureQueriesContext(connection) as asked:
            finished(run, clinic.adam)
        counts.append(len(asked))
    assert counts[0] == counts[1]
