"""`/healthz` and `/readyz`: quick, without a session, and true."""

from threading import Event

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client as Browser

from alliance.operations import checks_of_files, findings, probes
from alliance.operations.bounded import bounded_connection
from alliance.operations.findings import READY, check, failed, ok

FOREVER = 30


@pytest.fixture(autouse=True)
def _looks_anew(monkeypatch):
    monkeypatch.setattr(probes, "readiness", probes.Readiness())


@pytest.fixture
def only(monkeypatch):
    """Nothing is looked at but what a test registers here, in place of the database and the disk."""
    monkeypatch.setattr(findings, "_CHECKS", {})
    return lambda find: check("only", at=READY, asks_database=False)(find)


def asked(path, **headers):
    answer = Browser().get(path, headers=headers)
    return answer.status_code, answer.text


@pytest.mark.django_db(transaction=True)
def test_a_site_that_is_well_is_alive_and_ready():
    assert asked("/healthz") == (200, "alive\n")
    assert asked("/readyz") == (200, "ready\n")


@pytest.mark.django_db
def test_both_ask_for_no_session_also_of_a_browser_that_has_one(
    clinic, sign_in, django_assert_num_queries, only
):
    only(list)
    browser = sign_in(clinic.olga)
    browser.get("/accounts/security/")
    with django_assert_num_queries(0):
        alive, ready = browser.get("/healthz"), browser.get("/readyz")
    assert (alive.status_code, ready.status_code, alive.cookies, ready.cookies) == (200, 200, {}, {})
    assert ready.headers["Cache-Control"] == "no-store"
    assert browser.head("/readyz").status_code == 200
    assert browser.post("/readyz").status_code in {403, 404}, "it is no form"


def test_alive_does_not_depend_on_the_database_and_ready_does():
    """Without the mark for a database a query fails: this is one that is away."""
    assert asked("/healthz")[0] == 200


def test_a_silent_database_is_not_ready_within_two_seconds(only, monkeypatch):
    """The look hangs until the test lets it go; meanwhile each who asks has an answer, and no second thread begins."""
    monkeypatch.setattr(probes, "SECONDS", 0.25)
    goes_on, looks = Event(), []

    def hangs():
        looks.append(1)
        goes_on.wait(FOREVER)
        return []

    only(hangs)
    try:
        assert asked("/readyz") == (503, "The database does not answer.\n")
        assert asked("/readyz") == (503, "The database does not answer.\n")
        assert asked("/healthz") == (200, "alive\n")
        assert len(looks) == 1
        look = probes.readiness._look
    finally:
        goes_on.set()
    assert look._is_done.wait(FOREVER)
    assert asked("/readyz") == (200, "ready\n")


@pytest.mark.django_db
def test_a_full_disk_is_not_ready(monkeypatch):
    monkeypatch.setattr(findings, "_CHECKS", {"disk": findings._CHECKS["disk"]})
    assert asked("/readyz") == (200, "ready\n")
    probes.readiness.forget()
    total = 10_000_000_000
    monkeypatch.setattr(
        checks_of_files.shutil, "disk_usage", lambda place: type("U", (), {"free": 1, "total": total})
    )
    status, text = asked("/readyz")
    assert (status, "too little to write on safely" in text) == (503, True)


def test_no_static_files_is_not_ready_and_alive(monkeypatch):
    monkeypatch.setattr(findings, "_CHECKS", {"static": findings._CHECKS["static"]})
    monkeypatch.setattr(checks_of_files, "staticfiles_storage", type("Empty", (), {"hashed_files": {}}))
    assert asked("/readyz") == (503, "The static files are not there: no page can be shown.\n")
    assert asked("/healthz") == (200, "alive\n")


@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_not_ready():
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder(connection).record_unapplied("sessions_app", "0001_initial")
    try:
        status, text = asked("/readyz")
    finally:
        MigrationRecorder(connection).record_applied("sessions_app", "0001_initial")
    assert (status, text.startswith("The database is older than the site")) == (503, True)


def test_an_answer_is_kept_for_a_moment_however_many_ask(only):
    looks = []
    only(lambda: looks.append(1) or [ok("x", "x")])
    assert {asked("/readyz") for _ in range(20)} == {(200, "ready\n")}
    assert len(looks) == 1
    probes.readiness.forget()
    asked("/readyz")
    assert len(looks) == 2


def test_what_an_error_says_is_told_to_nobody(only):
    def broken():
        raise OperationalError("user=alliance password=hunter2 host=10.0.0.7")

    only(broken)
    assert asked("/readyz") == (503, "Only could not be checked: OperationalError.\n")


def test_the_sentence_is_public_and_what_to_do_is_not(only):
    only(lambda: [failed("x", "It is away.", "Look at DATABASE_URL.")])
    assert asked("/readyz") == (503, "It is away.\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_under_another_name_than_the_sites_neither_answers(path):
    assert asked(path, Host="elsewhere.example")[0] == 400


@pytest.mark.django_db(transaction=True)
def test_who_looks_has_a_connection_of_its_own_that_waits_briefly():
    usual = connections["default"]
    with bounded_connection(2):
        assert connections["default"] is not usual
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
                assert cursor.fetchone() == ("2s", "2s")
            else:
                cursor.execute("PRAGMA busy_timeout")
                assert cursor.fetchone() == (2000,)
    assert connections["default"] is usual


@pytest.mark.django_db
def test_in_a_transaction_it_is_the_callers_own():
    usual = connections["default"]
    with bounded_connection(2):
        assert connections["default"] is usual
