"""What an erasure leaves in files: nothing we can read, and a list for backups that bring the client back."""

import json
import logging
import sqlite3
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from alliance import kept_values
from alliance.erasures import Erasure
from alliance.models import AuditEvent
from clients.models import Client, Episode
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.intake import hand_over_actions
from sessions_app.records import erasure
from tests import cast
from tests.sessions_app.records.courses import full_course
from tests.sessions_app.records.erased import asked, erase, everything

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_no_file_of_the_database_that_we_can_read_holds_a_byte_of_it(clinic):
    """SQLite's own, and what it keeps beside it. PostgreSQL's are not ours to read: there, every table."""
    said = full_course(clinic.olgas, "bytes-7c1f")

    def content():
        if connection.vendor != "sqlite":
            return everything().encode()
        path = Path(connection.settings_dict["NAME"])
        names = [path, path.with_name(path.name + "-wal")]
        return b"".join(name.read_bytes() for name in names if name.exists())

    def in_files():
        held = content()
        return {place for place, words in said.items() if words.encode() in held}

    # What somebody wrote freely stands sealed in the file (`alliance.encrypted_field`); of tables it is read.
    assert in_files() == ({"label", "day"} if connection.vendor == "sqlite" else said.keys())
    erase(clinic)
    assert in_files() == set()


@pytest.mark.django_db(transaction=True)
def test_bytes_that_a_reader_keeps_beside_the_file_are_said_in_the_log(clinic, caplog):
    if connection.vendor != "sqlite":
        erase(clinic)
        assert "(-wal)" not in caplog.text, "PostgreSQL keeps no such file of the site"
        return
    reader = sqlite3.connect(connection.settings_dict["NAME"])
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM clients_client").fetchone()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (before,) = cursor.fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")  # else the checkpoint waits for the reader as long as that
    try:
        with caplog.at_level(logging.WARNING, "alliance.erasures"):
            erase(clinic)
            assert "(-wal) still holds what was erased" in caplog.text
            caplog.clear()
            reader.close()
            erasure.forget_in_files()
            assert caplog.text == ""
    finally:
        reader.close()
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


# --- After a backup was restored -----------------------------------------------------------------


def the_list():
    out = StringIO()
    call_command("list_erasures", stdout=out)
    return out.getvalue()


def restored(clinic):
    """The client is back, as in a backup of before; the code is the same."""
    client = Client.objects.create(code=clinic.olgas.client.code, label="label-canary")
    return Episode.objects.create(client=client, therapist=clinic.olga, opened_on=cast.STARTED)


def test_what_a_restored_backup_brought_back_is_erased_again_from_the_list(
    clinic, tmp_path, capsys, caplog, django_capture_on_commit_callbacks
):
    with (
        caplog.at_level(logging.WARNING, "alliance.erasures"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        done = erase(clinic)
    lines = the_list()
    assert json.loads(lines)["erased"] == str(done.client)
    assert json.loads(caplog.messages[0]) == json.loads(lines)  # the service's own log has it too
    full_course(restored(clinic))
    path = tmp_path / "erasures.jsonl"
    # As it stands in the log of a service, with something before it, and a line of something else.
    path.write_text(f"web-1  | 2026-11-28 {lines}\n\nweb-1  | GET /healthz\n")
    call_command("replay_erasures", str(path))
    assert "1 client was erased again" in capsys.readouterr().out
    assert "canary" not in everything()
    call_command("replay_erasures", str(path))
    assert "0 clients were erased again" in capsys.readouterr().out
    assert Erasure.objects.count() == 1


def test_the_list_works_on_a_backup_that_knows_nothing_of_the_erasure(clinic, tmp_path):
    code, asked_at = clinic.olgas.client.code, timezone.now()
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    waiting = asked(clinic)  # in the backup the request still waits, under another code
    later = UUID(int=7)
    line = {
        "erased": str(code),
        "code": str(later),
        "reason": "asked",
        "asked": [asked_at.isoformat(), str(clinic.adam.pk)],
        "confirmed": [asked_at.isoformat(), str(UUID(int=9))],  # somebody who came after the backup
        "grants": [UUID(int=5).hex],
    }
    path = tmp_path / "erasures.jsonl"
    path.write_text(json.dumps(line))
    call_command("replay_erasures", str(path))
    assert not Client.objects.filter(code=code).exists()
    waiting.refresh_from_db()
    assert waiting.called_off_at is not None
    assert set(ErasedGrant.objects.values_list("code", flat=True)) == {UUID(int=5), grant.code}
    event = AuditEvent.objects.get(action="client erased")
    assert event.actor is None


def test_a_file_that_holds_no_erasure_is_said_to(tmp_path):
    path = tmp_path / "other.txt"
    path.write_text('{"erased": "x"}\n')
    with pytest.raises(CommandError, match="line 1"):
        call_command("replay_erasures", str(path))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("replay_erasures", str(tmp_path / "absent"))


def test_kept_pieces_are_gone_from_every_process_after_a_day(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(kept_values.time, "monotonic", lambda: now[0])
    kept_values.forget_everything()
    pieces, asked_for_nothing = kept_values.Kept[str](3), kept_values.Kept[str](3)
    pieces.put("K-1", "drawn")
    asked_for_nothing.put("K-1", "drawn")
    now[0] = kept_values.SECONDS_AT_MOST - 1
    assert pieces.get("K-1") == "drawn"
    now[0] += 2
    assert pieces.get("K-1") is None
    assert asked_for_nothing.values() == []
