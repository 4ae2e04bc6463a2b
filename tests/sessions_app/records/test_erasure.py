"""A client is erased by two people, whole and for good; nothing else goes, and nothing of them is left but codes."""

import json
import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from alliance.erasures import CONFIRM_WITHIN, Erasure, ErasurePermit
from alliance.models import AuditEvent
from alliance.refused import Refused
from alliance.session_store import SessionStore
from clients import actions, merge_actions
from clients.models import Client, Episode
from sessions_app.courses.models import Rating
from sessions_app.dashboards import kept_course
from sessions_app.flags import checks
from sessions_app.flags.process_days import ProcessDay
from sessions_app.records import erasure, erasure_actions, export_file
from sessions_app.records.field_table import going_with_the_client
from sessions_app.records.sheets import Part, Scope
from tests import cast
from tests.sessions_app.records.courses import IN_SUPERVISION, full_course
from tests.sessions_app.records.erased import asked, erase, everything

pytestmark = pytest.mark.django_db


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


REFUSED = "append-only|permission denied"  # by the trigger, or to the site's role before it comes to that
APPEND_ONLY = ("sessions_app_correction", "sessions_app_setasiderating", "sessions_app_rating")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_outside_an_erasure_nothing_of_a_client_can_be_deleted(clinic, table):
    full_course(clinic.olgas)
    asked(clinic)  # asked for is not confirmed
    with pytest.raises(DatabaseError, match=REFUSED):
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
        with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
            tried("DELETE FROM alliance_auditevent")
        for table in APPEND_ONLY:
            with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
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
