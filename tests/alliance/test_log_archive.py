"""Months of the access log that were moved to files: no line is lost on the way, and the seals cover both."""

import gzip
import json
from datetime import date, datetime, timedelta
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from alliance import log_archiving, log_seals, triggers
from alliance.log_archives import ArchivePermit, AuditArchive
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, AuditSeal
from alliance.operations import archive_task, clock_tasks
from tests.alliance.tampering import tamper, without_triggers

pytestmark = pytest.mark.django_db
POSTGRESQL = connection.vendor == "postgresql"
TODAY = datetime(2026, 11, 28, 10, 0, tzinfo=timezone.get_default_timezone())
SEPTEMBER, OCTOBER = "access-log-2025-09.jsonl.gz", "access-log-2025-10.jsonl.gz"


def written(at, count):
    for _ in range(count):
        AuditEvent.objects.create(action=LogEvent.SIGNED_IN, entity="user", at=at, detail={"ä": 1})
    with mock.patch("django.utils.timezone.now", return_value=at):
        log_seals.seal()


@pytest.fixture
def folder(settings, tmp_path):
    settings.AUDIT_ARCHIVE = str(tmp_path / "log")
    return tmp_path / "log"


@pytest.fixture
def year_of_the_site(db, few_lines_a_seal, folder, time_machine):
    """Five lines of September, six of October 2025, and three of now. {month: the ids}"""
    time_machine.move_to(TODAY, tick=False)
    september = timezone.make_aware(datetime(2025, 9, 10, 12))
    written(september, 5)
    written(september + timedelta(days=30), 6)
    written(timezone.now(), 3)
    ids = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))
    return {"september": ids[:5], "october": ids[5:11], "now": ids[11:]}


@pytest.fixture
def year(as_owner, year_of_the_site):
    """As `manage.py audit_archive` is run: the site's own role may delete no line."""
    return year_of_the_site


@pytest.fixture
def archived(year):
    call_command("audit_archive", "--keep", "12")
    log_seals.seal()
    return year


def ids_in(path):
    with gzip.open(path) as file:
        return [json.loads(line)["id"] for line in file]


def test_each_month_is_one_file_and_every_line_is_in_a_file_or_in_the_table(archived, folder):
    assert ids_in(folder / SEPTEMBER) == archived["september"]
    assert ids_in(folder / OCTOBER) == archived["october"]
    assert sorted(one.name for one in folder.iterdir()) == [SEPTEMBER, OCTOBER], "and no draft is left"
    in_table = AuditEvent.objects.order_by("pk")
    assert list(in_table.values_list("pk", flat=True))[:3] == archived["now"]
    assert [line.action for line in in_table][3:] == [LogEvent.LOG_ARCHIVED] * 2
    assert not ArchivePermit.objects.exists()


def test_a_file_is_private_and_holds_what_was_hashed(archived, folder):
    path = folder / SEPTEMBER
    assert path.stat().st_mode & 0o077 == folder.stat().st_mode & 0o077 == 0
    first = next(log_archiving.lines_of(path))
    seal = AuditSeal.objects.get(number=1)
    assert log_seals.ENTRY.unpack_from(bytes(seal.entries)) == (first.id, first.digest)
    row = AuditArchive.objects.get(name=SEPTEMBER)
    noted = AuditEvent.objects.filter(action=LogEvent.LOG_ARCHIVED).earliest("pk")
    assert row.sha256 == log_archiving.digest_of(path) == noted.detail["sha256"]


def test_the_seals_cover_table_and_files(archived, verify):
    said, error = verify("--read-only")
    assert error is None
    assert "16 lines under 6 seals were compared." in said
    said, error = verify("--read-only", "--table-only")
    assert error is None
    assert "5 lines under 2 seals were compared." in said


def test_one_may_begin_in_the_middle_of_a_file(archived, found):
    for seal in AuditSeal.objects.all():
        assert found("--after", seal.hash) == []


def test_young_months_stay_and_twelve_at_least(year, capsys):
    call_command("audit_archive")
    assert "No month of the access log is over for long enough." in capsys.readouterr().out
    with pytest.raises(CommandError, match="At least 12 months"):
        call_command("audit_archive", "--keep", "11")
    assert [one.name for one in log_archiving.archive(keep=1, today=date(2026, 10, 31))] == [SEPTEMBER]


def test_what_is_not_sealed_yet_stays(year):
    AuditEvent.objects.create(action=LogEvent.SIGNED_IN, entity="user", at=TODAY - timedelta(days=400))
    call_command("audit_archive", "--keep", "12")
    assert AuditEvent.objects.filter(action=LogEvent.SIGNED_IN).count() == 4


# --- What somebody does to the files, or to the table --------------------------------------------


def rewritten(path, change):
    with gzip.open(path) as file:
        lines = file.read().splitlines(keepends=True)
    with gzip.open(path, "wb") as file:
        file.writelines(change(lines))


def test_a_changed_line_in_a_file(archived, folder, found):
    rewritten(folder / SEPTEMBER, lambda lines: [line.replace(b"signed in", b"signed up") for line in lines])
    said = found()
    assert said[0] == f"The file {SEPTEMBER} in {folder} is not as it was written."
    assert [one.split(" after ")[0] for one in said[1:]] == [
        f"Lines {archived['september'][0]} to {archived['september'][3]} were changed",
        f"Line {archived['september'][4]} was changed",
    ]


def test_a_line_removed_from_a_file_and_one_added_at_its_end(archived, folder, found):
    last = archived["october"][-1]
    rewritten(
        folder / OCTOBER,
        lambda lines: [*lines[1:], lines[-1].replace(f'"id":{last}'.encode(), b'"id":99999999')],
    )
    assert [one.split(" after ")[0] for one in found()[1:]] == [
        f"Line {archived['october'][0]} was removed",
        "Line 99999999 was inserted",
    ]


def test_a_file_that_is_gone_or_damaged_is_named_and_the_rest_compared(archived, folder, found, verify):
    (folder / SEPTEMBER).unlink()
    (folder / OCTOBER).write_bytes((folder / OCTOBER).read_bytes()[:-20])
    assert found() == [
        f"The file {SEPTEMBER} in {folder} is not there. Nothing is known of its 5 lines.",
        f"The file {OCTOBER} in {folder} cannot be read. Nothing is known of its 6 lines.",
    ]
    assert "5 lines under 6 seals were compared." in verify("--read-only")[0]


def test_a_line_slipped_into_the_table_where_the_log_is_in_files(archived, found):
    first = archived["september"][0]
    AuditEvent.objects.create(pk=first, action=LogEvent.SIGNED_IN, entity="user")
    assert found() == [
        f"Up to line {archived['october'][-1]} the log is in files, and the table has 1 lines there, "
        f"the first {first}: they were inserted afterwards."
    ]


def test_an_archive_that_nobody_made_is_no_excuse_for_lines_that_are_gone(year, folder, found):
    upto = year["september"][-1]
    made = {"first_seal": 1, "last_seal": 2, "after": 0, "upto": upto, "count": 5, "last_at": TODAY}
    AuditArchive.objects.create(name="made-up.gz", sha256="0", **made)
    tamper("DELETE FROM alliance_auditevent WHERE id <= %s", upto)
    assert found() == [f"The file made-up.gz in {folder} is not there. Nothing is known of its 5 lines."]


def test_a_line_that_was_removed_before_stops_the_move(year, folder):
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", year["september"][2])
    with pytest.raises(CommandError, match="4 lines are there, and the seals have 5"):
        call_command("audit_archive", "--keep", "12")
    assert list(folder.iterdir()) == []
    assert not AuditArchive.objects.exists()
    assert AuditEvent.objects.count() == 13


# --- The permit ----------------------------------------------------------------------------------


def archive_row(year, **changed):
    of = {
        "first_seal": 1,
        "last_seal": 2,
        "after": 0,
        "upto": year["september"][-1],
        "count": 5,
        "last_at": TODAY,
    }
    return AuditArchive.objects.create(name="made-up.gz", sha256="0", **{**of, **changed})


def test_without_a_permit_no_line_is_deleted_and_with_one_none_of_another_month(year):
    made = archive_row(year)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk__lte=made.upto).delete()
    with transaction.atomic():
        permit = ArchivePermit.objects.create(archive=made)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AuditEvent.objects.filter(pk=year["october"][0]).delete()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AuditEvent.objects.filter(pk=year["september"][0]).update(action="signed out")
        assert AuditEvent.objects.filter(pk__lte=made.upto).delete()[0] == 5
        permit.delete()


@pytest.mark.django_db(transaction=True)
def test_a_permit_cannot_be_left_behind(few_lines_a_seal, folder):
    made = AuditArchive.objects.create(
        name="x", sha256="0", first_seal=1, last_seal=1, after=0, upto=1, count=1, last_at=TODAY
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        ArchivePermit.objects.create(archive=made)
    assert not ArchivePermit.objects.exists()


def test_a_disk_that_is_full_loses_no_line(year, folder):
    with (
        mock.patch.object(log_archiving, "_sync", side_effect=[None, OSError(28, "No space left on device")]),
        pytest.raises(CommandError, match=r"No space left on device\. The lines stay in the table"),
    ):
        call_command("audit_archive", "--keep", "12")
    assert AuditEvent.objects.count() == 14
    assert not AuditArchive.objects.exists()
    call_command("audit_archive", "--keep", "12")  # over what was left of the first try
    assert ids_in(folder / SEPTEMBER) == year["september"]


@pytest.mark.postgresql
def test_the_site_s_own_role_moves_nothing_and_is_told_who_may(year_of_the_site, folder):
    with pytest.raises(CommandError, match="Run this with DATABASE_OWNER_URL"):
        call_command("audit_archive", "--keep", "12")
    assert AuditEvent.objects.count() == 14
    assert list(folder.iterdir()) == []


def test_the_clock_moves_months_where_that_was_chosen_and_only_there(year, folder, settings):
    task = clock_tasks.named("audit_archive")
    assert task.work(None) == archive_task.NOT_CHOSEN
    assert not folder.exists()
    settings.AUDIT_ARCHIVE_KEEP = 24
    assert task.work(None) == "No month of the access log is over for long enough.\n"
    settings.AUDIT_ARCHIVE_KEEP = 12
    assert task.work(None).count("lines are in") == 2
    assert ids_in(folder / SEPTEMBER) == year["september"]


@pytest.mark.postgresql
def test_a_clock_without_the_owner_moves_nothing_and_fails_with_what_to_do(
    year_of_the_site, folder, settings
):
    settings.AUDIT_ARCHIVE_KEEP = 12
    with pytest.raises(CommandError, match="Run this with DATABASE_OWNER_URL"), transaction.atomic():
        clock_tasks.named("audit_archive").work(None)
    assert AuditEvent.objects.filter(pk__in=year_of_the_site["september"]).count() == 5


def test_the_archive_s_own_rows_are_append_only(archived):
    for change in (
        "UPDATE alliance_auditarchive SET upto = upto + 5",
        "DELETE FROM alliance_auditarchive",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)


def test_a_missing_trigger_of_the_archive_is_named(archived, verify):
    (lost, *_) = (one for one in triggers.declared(connection) if one.table == "alliance_auditarchive")
    with connection.cursor() as cursor:
        cursor.execute(triggers.drop(connection, lost))
    said, error = verify("--read-only")
    triggers.put_back(using=connection.alias)
    assert said[0].startswith(f"The trigger {lost.name} is not as it has to be")
    assert error


# --- What pages say of it ------------------------------------------------------------------------


def test_the_pages_say_where_earlier_lines_are(clinic, archived, sign_in):
    log, asked = reverse("clinic:log"), {"since": "2025-09-01"}
    client = sign_in(clinic.adam)
    assert "Lines up to 10 October 2025 are in files" in client.get(log, asked).text
    assert "are in files" not in client.get(log).text
    page = reverse("clients:who_looked", args=[clinic.olgas.code])
    client = sign_in(clinic.olga)
    assert "up to 10 October 2025 is in files" in client.get(page, asked).text
    assert "in files" not in client.get(page).text


def test_control_without_the_triggers_lines_are_simply_deleted(year):
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM alliance_auditevent")
    assert not AuditEvent.objects.exists()
