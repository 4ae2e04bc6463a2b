"""A client is erased by two people, whole and for good; nothing else goes, and nothing of them is left but codes."""

import json
import logging
import sqlite3
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.erasures import CONFIRM_WITHIN, Erasure, ErasurePermit
from alliance.models import AuditEvent, BrowserSession
from alliance.refused import Gone, Refused
from alliance.session_store import SessionStore
from clients import actions, merge_actions
from clients.lock import lock_episode
from clients.models import Client, Episode
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.dashboards import kept, kept_course
from sessions_app.flags import checks
from sessions_app.flags.conclude import conclude_many
from sessions_app.flags.models import Discussion
from sessions_app.flags.process_days import ProcessDay
from sessions_app.intake import hand_over_actions, sealed_upload, session_actions
from sessions_app.records import erasure, erasure_actions, export_file
from sessions_app.records.field_table import going_with_the_client
from sessions_app.records.sheets import Part, Scope
from tests import cast
from tests.bench.sealed import parcel
from tests.sessions_app.intake.rate_form import marks
from tests.sessions_app.records.courses import IN_SUPERVISION, full_course

pytestmark = pytest.mark.django_db


def asked(clinic, **fields):
    given = {"client": clinic.olgas.client, "reason": "asked", "note": "", "by": clinic.adam, **fields}
    return erasure_actions.ask(**given)


def erase(clinic, **fields):
    return erasure_actions.confirm(erasure=asked(clinic, **fields), by=clinic.olga)


def everything():
    """Every table of the database, as text; what the server keeps for browsers is read."""
    found = []
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found += [f"{table}: {row!r}" for row in cursor.fetchall()]
    store = SessionStore()
    found += [f"session: {store.decode(row.session_data)!r}" for row in BrowserSession.objects.all()]
    return "\n".join(found)


# --- What goes, and what stays -------------------------------------------------------------------


def test_no_canary_of_an_erased_client_is_anywhere_but_as_a_code(
    clinic, sign_in, caplog, django_capture_on_commit_callbacks
):
    said = full_course(clinic.olgas)
    full_course(clinic.carls, "other")
    # A message nobody has read yet, a locked tablet, a drawn page.
    browser = sign_in(clinic.olga)
    browser.get(f"/dashboard/clients/{clinic.olgas.code}/")
    store = SessionStore()
    store["_messages"] = json.dumps([f"{said['label']} is registered."])
    store.create()
    before = everything()
    assert {place for place, words in said.items() if words not in before} == set()
    assert before.count(f"{IN_SUPERVISION}-canary") >= 6
    assert any(said["comment"] in one.drawn for one in kept_course._kept.values())
    code = clinic.olgas.client.code

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        erase(clinic, note="The letter lies in the folder of November.")

    after = everything()
    assert {place: words for place, words in said.items() if words in after} == {}
    assert "folder of November" not in after
    assert f"{IN_SUPERVISION}-canary" not in after
    assert not any(words in caplog.text for words in said.values())
    assert kept_course._kept.values() == []
    for person, part in ((clinic.olga, Part.OWN), (clinic.sina, Part.SUPERVISED), (clinic.adam, Part.CLINIC)):
        text = "".join(export_file.as_json(Scope(person, part)))
        assert "-canary" not in text
        assert code.hex not in text.replace("-", "")
    # The codes are in the log and beside the erasure, and nowhere else.
    holding = {line.partition(":")[0] for line in after.splitlines() if code.hex in line.replace("-", "")}
    assert holding == {"alliance_auditevent", "alliance_erasure"}
    assert "said-other" in after


def test_every_row_of_the_client_goes_and_none_of_anybody_else(clinic):
    full_course(clinic.olgas)
    full_course(clinic.carls, "other")
    mine, theirs = clinic.olgas.client.pk, clinic.carls.client.pk
    tables = going_with_the_client()
    others = {
        table.model: list(erasure.rows_of(table, [theirs]).values_list("pk", flat=True)) for table in tables
    }
    # test_foreign_marks.py has records that were merged.
    merges = {"clients.ClientMerge", "clients.EpisodeMove", "clients.DifferentClients"}
    earlier = {"clients.EarlierCourseConsent"}  # needs a second course
    assert {model for model, rows in others.items() if not rows} == merges | earlier
    lines = AuditEvent.objects.count()
    erase(clinic)
    for table in tables:
        assert not erasure.rows_of(table, [mine]).exists(), table.model
        assert list(erasure.rows_of(table, [theirs]).values_list("pk", flat=True)) == others[table.model]
    assert AuditEvent.objects.count() == lines + 2  # asked, confirmed; none of the old ones is gone


def test_the_counts_of_the_therapist_are_what_they_would_be_without_the_client(clinic):
    cast.rated_course(cast.episode(clinic.olga, "K-9"), [380, 250])
    before = list(ProcessDay.objects.values_list())
    full_course(clinic.olgas)
    assert list(ProcessDay.objects.values_list()) != before
    erase(clinic)
    assert not list(checks.differing_days())
    assert not list(checks.differing(list(Episode.objects.values_list("pk", flat=True))))


def test_counts_are_kept_in_kinds_that_tell_nothing_that_was_found(clinic):
    full_course(clinic.olgas)
    seen = erasure.preview(clinic.olgas.client)
    done = erase(clinic)
    done.refresh_from_db()
    assert done.counts == seen.goes
    assert set(done.counts) == {"episodes", "sessions", "forms", "ratings", "notes and conclusions"}
    assert seen.open_episodes == 1
    assert seen.log_lines == AuditEvent.objects.filter(client=done.client).count() - 2


# --- By two people -------------------------------------------------------------------------------


def test_who_asked_does_not_confirm_and_a_stranger_does_not_either(clinic):
    one = asked(clinic)
    for person in (clinic.adam, clinic.carl, clinic.sina, clinic.strange):
        with pytest.raises(Refused, match="Another person"):
            erasure_actions.confirm(erasure=one, by=person)
    assert Client.objects.filter(pk=clinic.olgas.client.pk).exists()
    erasure_actions.confirm(erasure=one, by=cast.person("Agnes", "administrator"))
    assert not Client.objects.filter(pk=clinic.olgas.client.pk).exists()


def test_a_therapist_cannot_ask(clinic):
    with pytest.raises(Refused, match="An administrator asks"):
        asked(clinic, by=clinic.olga)


def test_the_database_itself_wants_two_people(clinic):
    one = asked(clinic)
    with pytest.raises(IntegrityError, match="erasure_by_two_people"), transaction.atomic():
        Erasure.objects.filter(pk=one.pk).update(confirmed_at=timezone.now(), confirmed_by=one.asked_by)


def test_a_request_can_be_called_off_and_asked_for_again(clinic):
    one = asked(clinic, note="In the folder.")
    with pytest.raises(Refused, match="asked for already"):
        asked(clinic)
    assert erasure_actions.call_off(erasure=one, by=clinic.olga).note == ""
    with pytest.raises(Refused, match="called off"):
        erasure_actions.confirm(erasure=one, by=clinic.olga)
    assert asked(clinic).is_open


def test_after_fourteen_days_a_request_is_void(clinic):
    one = asked(clinic)
    late = timezone.now() - CONFIRM_WITHIN
    # As if it had been asked for then: the row is append-only.
    erasure_actions.call_off(erasure=one, by=clinic.adam)
    one = Erasure.objects.create(
        client=one.client, reason="asked", asked_by=clinic.adam.pk, asked_at=late + timedelta(seconds=-1)
    )
    with pytest.raises(Refused, match="void"):
        erasure_actions.confirm(erasure=one, by=clinic.olga)
    again = asked(clinic)
    one.refresh_from_db()
    assert (again.is_open, one.called_off_by) == (True, clinic.adam.pk)


def test_the_line_for_the_second_person_must_not_name_the_client(clinic):
    with pytest.raises(Refused, match="names the client"):
        asked(clinic, note="k-1 wrote a letter")
    assert not Erasure.objects.exists()


def test_only_a_second_request_is_answered_with_that_it_was_asked_for(clinic):
    """Whatever else the database refuses is no sentence for a person, and stays an error that is seen."""
    with pytest.raises(IntegrityError, match=r"erasure_known_reason|CHECK"):
        asked(clinic, reason="nonsense")
    assert not Erasure.objects.exists()
    assert not AuditEvent.objects.filter(action="erasure asked").exists()


def merged_into_the_client(clinic):
    """A record of the same person, of whom an erasure had been asked for before they were merged."""
    again = cast.episode(clinic.carl, "K-1b")
    waiting = asked(clinic, client=again.client)
    merge_actions.merge_clients(
        kept=clinic.olgas.client,
        merged=again.client,
        seen=[again.code, clinic.olgas.code],
        by=clinic.adam,
    )
    return waiting


def test_a_request_for_a_record_that_went_with_another_one_is_refused(clinic):
    waiting = merged_into_the_client(clinic)
    erase(clinic)
    agnes = cast.person("Agnes", "administrator")
    with pytest.raises(Refused, match="no longer here"):
        erasure_actions.confirm(erasure=waiting, by=agnes)
    waiting.refresh_from_db()
    assert waiting.confirmed_at is None
    assert AuditEvent.objects.filter(action="client erased").count() == 1


def while_the_episodes_are_awaited(monkeypatch, other):
    """`other` gets the locks before the erasure that is confirmed next."""
    lock_episodes = erasure_actions.lock_episodes

    def overtaken(episodes):
        monkeypatch.setattr(erasure_actions, "lock_episodes", lock_episodes)
        other()
        lock_episodes(episodes)

    monkeypatch.setattr(erasure_actions, "lock_episodes", overtaken)


def test_of_two_erasures_of_one_person_at_once_the_second_finds_nobody(clinic, monkeypatch):
    waiting, whole = merged_into_the_client(clinic), asked(clinic)
    agnes = cast.person("Agnes", "administrator")
    while_the_episodes_are_awaited(
        monkeypatch, lambda: erasure_actions.confirm(erasure=whole, by=clinic.olga)
    )
    with pytest.raises(Refused, match="no longer here"):
        erasure_actions.confirm(erasure=waiting, by=agnes)


def test_what_is_opened_while_an_erasure_waits_is_looked_at_first(clinic, monkeypatch):
    """Its episode is not among those that are held, so nothing goes before somebody presses again."""
    one = asked(clinic)
    while_the_episodes_are_awaited(
        monkeypatch,
        lambda: actions.open_episode(
            client=clinic.olgas.client, therapist=clinic.carl, opened_on=timezone.localdate(), by=clinic.adam
        ),
    )
    with pytest.raises(Refused, match="changed just now"):
        erasure_actions.confirm(erasure=one, by=clinic.olga)
    assert Client.objects.filter(code=one.client).exists()
    erasure_actions.confirm(erasure=one, by=clinic.olga)
    assert not Client.objects.filter(code=one.client).exists()


# --- The permit ----------------------------------------------------------------------------------


def tried(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


APPEND_ONLY = ("sessions_app_correction", "sessions_app_setasiderating", "sessions_app_rating")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_outside_an_erasure_nothing_of_a_client_can_be_deleted(clinic, table):
    full_course(clinic.olgas)
    asked(clinic)  # asked for is not confirmed
    with pytest.raises(DatabaseError, match="append-only"):
        tried(f"DELETE FROM {table}")  # noqa: S608


def test_the_permit_of_one_client_lets_nothing_of_another_go(clinic):
    full_course(clinic.olgas)
    full_course(clinic.carls, "other")
    one = Erasure.objects.create(
        **{"client": clinic.olgas.client.code, "reason": "asked", "asked_by": clinic.adam.pk},
        **{"confirmed_at": timezone.now(), "confirmed_by": clinic.olga.pk},
    )
    theirs = Rating.objects.filter(session__episode=clinic.carls, correction__isnull=False).values("pk")
    with transaction.atomic():
        permit = ErasurePermit.objects.create(erasure=one)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Rating.objects.filter(pk__in=theirs)._raw_delete("default")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            tried("DELETE FROM alliance_auditevent")
        for table in APPEND_ONLY:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                tried(f"UPDATE {table} SET id = id")  # noqa: S608
        permit.delete()


def test_an_erasure_that_nobody_confirmed_opens_nothing_whatever_permit_there_is(clinic):
    full_course(clinic.olgas)
    one = asked(clinic)
    with transaction.atomic():
        permit = ErasurePermit.objects.create(erasure=one)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            tried("DELETE FROM sessions_app_correction")
        permit.delete()


@pytest.mark.django_db(transaction=True)
def test_a_permit_cannot_be_left_behind(clinic):
    one = asked(clinic)
    with pytest.raises(IntegrityError), transaction.atomic():
        ErasurePermit.objects.create(erasure=one)
    assert not ErasurePermit.objects.exists()
    for wrong in ({"id": 2, "never_id": 2}, {"id": 1, "never_id": 1}, {"id": 3, "never_id": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ErasurePermit.objects.create(erasure=one, **wrong)
    assert not ErasurePermit.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_erasure_that_fails_half_way_leaves_everything(clinic, monkeypatch):
    full_course(clinic.olgas)
    one = asked(clinic)
    before = everything()
    monkeypatch.setattr(erasure, "_clean_browser_sessions", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erasure_actions.confirm(erasure=one, by=clinic.olga)
    assert everything() == before


# --- What is under way ---------------------------------------------------------------------------


def test_a_write_that_comes_after_the_erasure_is_told_that_the_client_is_gone(clinic):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    erase(clinic)
    writes = [
        lambda: lock_episode(clinic.olgas.pk),
        lambda: cast.rating(session),
        lambda: hand_over_actions.take_back(grant=grant, by=clinic.olga),
        lambda: hand_over_actions.decline(grant=grant),
        lambda: session_actions.add_session(episode=clinic.olgas, held_at=timezone.now(), by=clinic.olga),
        lambda: actions.close_episode(
            episode=clinic.olgas, closed_on=timezone.localdate(), ending="planned", by=clinic.olga
        ),
        lambda: actions.open_episode(
            client=clinic.olgas.client, therapist=clinic.carl, opened_on=timezone.localdate(), by=clinic.adam
        ),
    ]
    for write in writes:
        with pytest.raises(Gone):
            write()
    assert conclude_many(episodes=[clinic.olgas.pk, clinic.carls.pk]) == 0


def test_a_page_that_read_its_row_before_the_erasure_says_what_happened_or_is_not_there(
    clinic, sign_in, monkeypatch
):
    full_course(clinic.olgas)
    talk = Discussion.objects.select_related("session__episode__client").get()
    browser = sign_in(clinic.olga)
    rooms = ("sessions_app.intake.views.therapy_sessions", "sessions_app.dashboards.views.talks")
    for room, row in zip(rooms, (clinic.olgas, talk), strict=True):
        monkeypatch.setattr(f"{room}.own_or_404", lambda request, rows, code, row=row: row)
    erase(clinic)
    answer = browser.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert (answer.status_code, "it was erased" in answer.content.decode()) == (409, True)
    address = reverse("dashboard:put_back_discussion", args=[talk.code])
    assert browser.post(address, follow=True).status_code == 404


def test_a_page_that_catches_no_refusal_is_not_there(clinic, sign_in, monkeypatch):
    def gone(*_):
        raise Gone

    monkeypatch.setattr("sessions_app.dashboards.work_list.build", gone)
    assert sign_in(clinic.olga).get("/dashboard/").status_code == 404


def test_a_tablet_with_the_form_of_an_erased_client_asks_to_be_handed_back(clinic, sign_in):
    cast.therapy_session(clinic.olgas)
    tablet = sign_in(clinic.olga)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert tablet.get("/rate/").status_code == 200
    erase(clinic)
    answer = tablet.get("/rate/", follow=True)
    assert "hand the tablet back" in answer.content.decode()
    answer = tablet.post("/rate/", {"step": "hand-in"}, follow=True)
    assert "hand the tablet back" in answer.content.decode()
    assert tablet.get("/dashboard/").url == "/rate/"  # still locked


def test_a_form_whose_client_is_erased_while_it_is_handed_in_says_so(clinic, sign_in, monkeypatch):
    """The session was read before the erasure changed it."""
    cast.therapy_session(clinic.olgas)
    tablet = sign_in(clinic.olga)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    monkeypatch.setattr(erasure, "_clean_browser_sessions", lambda *_: None)
    erase(clinic)
    answer = tablet.post("/rate/", {"step": "hand-in"})
    assert answer.status_code == 410


def deliver(grant):
    sent = parcel(sealed_upload.token_for(grant), "mode=line&relationship=9")
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    return Browser().post("/rate/upload/", json.dumps(sent), content_type="application/json", headers=ours)


def test_marks_that_wait_on_a_device_are_forgotten_there_and_stored_nowhere(clinic):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    erase(clinic)
    answer = deliver(grant)
    assert (answer.status_code, answer.json()["stored"], answer.json()["sha256"]) == (410, True, "erased")
    assert not Rating.objects.exists()
    ErasedGrant.objects.all().delete()
    assert deliver(grant).status_code == 401  # control: of a grant nobody knows, the device keeps it


def test_marks_that_come_in_while_the_client_is_erased_are_forgotten_on_the_device(clinic, monkeypatch):
    """The delivery has read its grant, and waits for the episode that goes."""
    cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=clinic.olgas.sessions.get(), by=clinic.olga)
    stale = RatingGrant.objects.select_related("session__episode__client").get(pk=grant.pk)
    erase(clinic)
    monkeypatch.setattr(sealed_upload, "grant_of", lambda token: stale)
    answer = deliver(grant)
    assert (answer.status_code, answer.json()["stored"], answer.json()["sha256"]) == (410, True, "erased")
    assert not Rating.objects.exists()


def test_a_tablet_that_hands_in_while_the_client_is_erased_is_told(clinic, sign_in, monkeypatch):
    cast.therapy_session(clinic.olgas)
    tablet = sign_in(clinic.olga)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    stale = RatingGrant.objects.select_related("session__episode__client", "wording").get()
    monkeypatch.setattr(erasure, "_clean_browser_sessions", lambda *_: None)
    erase(clinic)
    monkeypatch.setattr("sessions_app.intake.views.rate.grant_of", lambda request, lock: stale)
    answer = tablet.post("/rate/", marks())
    assert (answer.status_code, answer.context["is_erased"]) == (410, True)
    assert not Rating.objects.exists()


# --- In files ------------------------------------------------------------------------------------


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

    assert in_files() == set(said)
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
    monkeypatch.setattr(kept.time, "monotonic", lambda: now[0])
    pieces = kept.Kept[str](3)
    pieces.put("K-1", "drawn")
    now[0] = kept.SECONDS_AT_MOST - 1
    assert pieces.get("K-1") == "drawn"
    now[0] += 2
    assert pieces.get("K-1") is None
