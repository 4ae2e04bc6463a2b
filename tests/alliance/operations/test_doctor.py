"""`manage.py doctor` turns red, with the right sentence, for each thing that can be wrong; and green again."""

import json
import smtplib
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory
from django.utils import timezone
from django.utils.functional import empty
from pyrage import x25519

from alliance import triggers
from alliance.models import User
from alliance.operations import (
    checks_of_database,
    checks_of_files,
    checks_of_mail,
    checks_of_settings,
    heartbeat,
)
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified, WhichKey
from alliance.operations.constraints import Lack, lacking_constraints
from alliance.operations.findings import ASKED, PAGE, READY, START, State, check, run, worst
from sessions_app.courses.models import Rating
from tests.alliance.sign_in import give_an_app

pytestmark = pytest.mark.django_db
POSTGRESQL = connection.vendor == "postgresql"
MEGABYTE = 1_000_000
DISK = "disk.site" if POSTGRESQL else "disk.database"
Usage = namedtuple("Usage", "total used free")


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def trigger_of_ratings():
    return next(one for one in triggers.declared(connection) if one.table == Rating._meta.db_table)


# --- Sabotages: what somebody or something does to a site that was well ---------------------------


def change_the_key(settings, monkeypatch):
    settings.SECRET_KEY = "another-" + "x" * 60


def leave_a_migration_out(settings, monkeypatch):
    MigrationRecorder(connection).record_unapplied("sessions_app", "0001_initial")


def be_the_version_before(settings, monkeypatch):
    MigrationRecorder(connection).record_applied("sessions_app", "0099_of_next_year")


def drop_a_trigger(settings, monkeypatch):
    execute(triggers.drop(connection, trigger_of_ratings()))


def disable_a_trigger(settings, monkeypatch):
    trigger = trigger_of_ratings()
    execute(f"ALTER TABLE {trigger.table} DISABLE TRIGGER {trigger.name}")


def drop_a_unique_key(settings, monkeypatch):
    execute('DROP INDEX "user_email_whatever_the_case"')


def leave_a_key_unchecked(settings, monkeypatch):
    execute(
        "ALTER TABLE sessions_app_rating DROP CONSTRAINT rating_total_in_range,"
        " ADD CONSTRAINT rating_total_in_range CHECK (total >= 0) NOT VALID"
    )


def delete_the_static_files(settings, monkeypatch):
    _serve_hashed({}, monkeypatch)


def delete_one_static_file(settings, monkeypatch):
    _serve_hashed({"alliance/page.js": "alliance/page.0123456789ab.js"}, monkeypatch)


def keep_the_static_files_of_the_version_before(settings, monkeypatch):
    root = Path(settings.STATIC_ROOT)
    (root / "alliance").mkdir(parents=True)
    (root / "alliance/old.0123456789ab.js").touch()
    _serve_hashed({"alliance/old.js": "alliance/old.0123456789ab.js"}, monkeypatch)


def _serve_hashed(names, monkeypatch):
    storage = SimpleNamespace(hashed_files=names)
    monkeypatch.setattr(checks_of_files, "staticfiles_storage", storage)


def fill_the_disk(settings, monkeypatch):
    usage = Usage(10_000 * MEGABYTE, 9_990 * MEGABYTE, 10 * MEGABYTE)
    monkeypatch.setattr(checks_of_files.shutil, "disk_usage", lambda place: usage)


def fill_most_of_the_disk(settings, monkeypatch):
    usage = Usage(10_000 * MEGABYTE, 9_500 * MEGABYTE, 500 * MEGABYTE)
    monkeypatch.setattr(checks_of_files.shutil, "disk_usage", lambda place: usage)


def silence_the_database(settings, monkeypatch):
    def silent(*args, **kwargs):
        raise OperationalError("connection to server at 10.0.0.7 failed: password=hunter2")

    monkeypatch.setattr(connections[connection.alias], "cursor", silent)


def slow_the_database_down(settings, monkeypatch):
    moments = iter(range(100))
    monkeypatch.setattr(checks_of_database, "time", SimpleNamespace(perf_counter=lambda: next(moments) / 10))


def stop_the_mail_server(settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def change_the_password_of_mail(settings, monkeypatch):
    stop_the_mail_server(settings, monkeypatch)

    class Refuses:
        def open(self):
            raise smtplib.SMTPAuthenticationError(535, b"hunter2")

    monkeypatch.setattr(checks_of_mail, "get_connection", lambda **kwargs: Refuses())


def let_the_clock_of_the_database_go_ahead(settings, monkeypatch):
    ask = checks_of_database._ask
    ahead = lambda sql: datetime.now(UTC) + timedelta(minutes=3) if "clock" in sql else ask(sql)  # noqa: E731
    monkeypatch.setattr(checks_of_database, "_ask", ahead)


def run_an_old_database(settings, monkeypatch):
    monkeypatch.setattr(checks_of_settings, "OLDEST_POSTGRESQL", 990000)


def show_the_settings_to_everybody(settings, monkeypatch):
    settings.BASE_DIR = Path(settings.STATIC_ROOT).parent
    (settings.BASE_DIR / ".env").write_text("SECRET_KEY=hunter2")
    (settings.BASE_DIR / ".env").chmod(0o644)
    monkeypatch.setattr(checks_of_settings, "site_version", lambda: "0")


def stop_the_clock(settings, monkeypatch):
    heartbeat.ClockBeat.objects.update(beat_at=timezone.now() - timedelta(hours=3))


def try_it_out(settings, monkeypatch):
    settings.DEMO = True


def break_a_check(settings, monkeypatch):
    def broken(*args):
        raise DatabaseError("password=hunter2")

    monkeypatch.setattr(checks_of_database, "lacking_constraints", broken)


on_postgresql = pytest.mark.postgresql
SABOTAGES = [
    (change_the_key, "key", "SECRET_KEY is another one than before: 1 of 1 second factors", State.FAILED),
    (leave_a_migration_out, "migrations", "The database is older than the site: ", State.FAILED),
    (be_the_version_before, "migrations.newer", "The database is newer than the site: it has", State.WARNING),
    (drop_a_trigger, "triggers", "1 protection of the database not as declared", State.FAILED),
    pytest.param(
        *(disable_a_trigger, "triggers", "1 protection of the database not as declared", State.FAILED),
        marks=on_postgresql,
    ),
    (drop_a_unique_key, "constraints", "so that rows could be doubled or wrong", State.FAILED),
    (delete_the_static_files, "static", "The static files are not there", State.FAILED),
    (delete_one_static_file, "static", "The static files are not there", State.FAILED),
    (keep_the_static_files_of_the_version_before, "static.sources", "of another version", State.FAILED),
    (fill_the_disk, DISK, "10 MB left: too little to write on safely", State.FAILED),
    (fill_most_of_the_disk, DISK, "500 MB left.", State.WARNING),
    (silence_the_database, "database", "The database does not answer.", State.FAILED),
    (slow_the_database_down, "latency", "The database answers in 100.0 ms: pages are slow.", State.WARNING),
    (stop_the_mail_server, "mail", "The mail server does not answer: ConnectionRefusedError", State.FAILED),
    (change_the_password_of_mail, "mail", "refuses the user or the password", State.FAILED),
    pytest.param(
        *(let_the_clock_of_the_database_go_ahead, "time", "its database are 180 s apart", State.FAILED),
        marks=on_postgresql,
    ),
    pytest.param(
        *(run_an_old_database, "versions.database", "is too old for this site", State.FAILED),
        marks=on_postgresql,
    ),
    (stop_the_clock, "clock", "has given no sign of life for 3 hours", State.FAILED),
    (show_the_settings_to_everybody, "settings.file", "may read .env", State.WARNING),
    (try_it_out, "settings.demo", "DEMO is on.", State.WARNING),
    (break_a_check, "constraints", "Constraints could not be checked: DatabaseError.", State.FAILED),
]


@pytest.fixture
def site(clinic, settings, tmp_path):
    """A site with somebody's second factor, and with a folder of its own for static files."""
    give_an_app(clinic.olga)
    heartbeat.beat(host="here", pid=1, leads_since=timezone.now())
    settings.STATIC_ROOT = tmp_path / "static"
    return clinic


@pytest.mark.parametrize(("sabotage", "key", "sentence", "state"), SABOTAGES)
def test_doctor_turns_red_with_the_right_sentence(
    site, settings, monkeypatch, sabotage, key, sentence, state
):
    before = {finding.key: finding for finding in run(PAGE | ASKED)}
    assert before.get(key) is None or before[key].state is State.OK

    sabotage(settings, monkeypatch)
    found = {finding.key: finding for finding in run(PAGE | ASKED)}
    assert (found[key].state, sentence in found[key].sentence) == (state, True), found[key]
    assert found[key].to_do
    assert "hunter2" not in str(found), "the text of an error may hold a secret"


def test_of_what_was_well_nothing_is_to_do(site):
    for finding in run(PAGE | ASKED):
        assert bool(finding.to_do) == (finding.state is not State.OK), finding


def test_where_the_database_is_silent_it_is_said_once(site, settings, monkeypatch):
    silence_the_database(settings, monkeypatch)
    assert [one.key for one in run(START) if one.state is State.FAILED] == ["database"]
    assert {one.key for one in run(READY)} > {"database"}, "what asks no database is looked at all the same"


def test_a_unique_field_that_lost_its_key_is_found(site):
    """Of PostgreSQL; in SQLite a column's own key cannot be taken away without the table."""
    if POSTGRESQL:
        execute("ALTER TABLE alliance_user DROP CONSTRAINT alliance_user_email_key")
    else:
        execute('DROP INDEX "user_email_whatever_the_case"')
    (lack,) = lacking_constraints(connection)
    assert (lack.table, lack.kind) == (User._meta.db_table, Lack.GONE)


@on_postgresql
def test_a_foreign_key_that_is_not_validated_is_found(site):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'clients_episode'::regclass"
            " AND confrelid = 'alliance_user'::regclass LIMIT 1"
        )
        (name,) = cursor.fetchone()
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # the rows of this test wait to be compared
    execute(f'ALTER TABLE clients_episode DROP CONSTRAINT "{name}"')
    execute(
        f'ALTER TABLE clients_episode ADD CONSTRAINT "{name}" FOREIGN KEY (therapist_id)'
        " REFERENCES alliance_user NOT VALID"
    )
    kinds = {lack.kind for lack in lacking_constraints(connection)}
    assert kinds == {Lack.NOT_VALIDATED}


@on_postgresql
def test_a_standby_that_answers_and_takes_no_rating_is_found(site):
    assert [one for one in run(READY) if one.key == "writable"] == []
    with transaction.atomic():
        execute("SET TRANSACTION READ ONLY")
        (finding,) = [one for one in run(READY) if one.key == "writable"]
        transaction.set_rollback(True)  # and the test may write again
    assert (finding.state, "The database only reads" in finding.sentence) == (State.FAILED, True)


# --- The command ---------------------------------------------------------------------------------


def doctor(capsys, *options):
    """Exit status, and what was said on both ways out."""
    try:
        call_command("doctor", *options)
        status = 0
    except SystemExit as error:
        status = error.code
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def well(site, settings, monkeypatch):
    """A clinic's own settings: without them the tests are a try-out, and doctor says so."""
    settings.HTTPS = settings.SECOND_FACTOR_REQUIRED = True
    settings.TRY_OUT = False
    monkeypatch.setattr("django.core.checks.run_checks", lambda **kwargs: [])
    settings.BACKUP_RECIPIENTS = [str(x25519.Identity.generate().to_public())]
    made = {"file": "a", "made_at": timezone.now(), "seconds": 1}
    BackupMade.objects.create(**made, size=1, encrypted=True, version="0.1.0", rows=1, log_head="")
    BackupVerified.objects.create(**made, key=WhichKey.CLINIC, is_whole=True)
    return site


def test_exit_status_and_json_say_how_bad_it_is(well, settings, monkeypatch, capsys):
    status, out, _ = doctor(capsys)
    assert (status, "ok       key: SECRET_KEY opens second factors" in out) == (0, True)

    settings.DEMO = True
    status, out, _ = doctor(capsys, "--json")
    assert (status, json.loads(out)["state"]) == (1, "warning")

    drop_a_trigger(settings, monkeypatch)
    status, out, _ = doctor(capsys, "--json")
    assert (status, json.loads(out)["state"]) == (2, "failed")
    (finding,) = (one for one in json.loads(out)["findings"] if one["key"] == "triggers")
    assert trigger_of_ratings().name in finding["sentence"]
    assert doctor(capsys)[1].startswith("failed "), "the worst comes first"


def test_the_start_puts_back_what_was_lost_and_serves(well, settings, monkeypatch, capsys):
    drop_a_trigger(settings, monkeypatch)
    status, out, err = doctor(capsys, "--start")
    assert (status, out, triggers.missing_triggers(connection)) == (0, "", [])
    assert f"Lost protections were put back: {trigger_of_ratings().name}." in err


def test_the_start_refuses_where_a_trigger_cannot_be_put_back(well, settings, monkeypatch, capsys):
    """As where the role of the site may change no table."""
    drop_a_trigger(settings, monkeypatch)

    def may_not(*args, **kwargs):
        raise DatabaseError("must be owner of table sessions_app_rating")

    monkeypatch.setattr(triggers, "put_back", may_not)
    status, _, err = doctor(capsys, "--start")
    assert (status, err.count("Cannot start: 1 protection of the database")) == (2, 1)


def test_no_static_files_is_one_sentence_at_the_start(well, settings, monkeypatch, capsys):
    delete_the_static_files(settings, monkeypatch)
    status, out, err = doctor(capsys, "--start")
    assert (status, out) == (2, "")
    assert err.startswith(
        "Cannot start: The static files are not there: no page can be shown. Run make static"
    )
    assert err.count("\n") == 1


def test_a_lost_key_does_not_keep_the_clinic_from_starting(well, settings, monkeypatch, capsys):
    change_the_key(settings, monkeypatch)
    status, _, err = doctor(capsys, "--start")
    assert (status, "SECRET_KEY is another one than before" in err) == (0, True)
    assert doctor(capsys)[0] == 2, "and doctor is red until each has set up the second factor anew"


def test_what_a_check_finds_is_asked_for_by_its_place(monkeypatch):
    from alliance.operations import findings

    monkeypatch.setattr(findings, "_CHECKS", {})
    check("asked", at=ASKED, asks_database=False)(lambda: [findings.ok("asked", "x")])
    assert (run(PAGE), run(ASKED)[0].key, worst([])) == ([], "asked", State.OK)


def test_collected_files_are_found_by_the_names_that_pages_use(site, settings, tmp_path):
    """The tests themselves serve them from their sources, and so does this one not."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.js").write_text("export const one = 1;")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    hashed = {"BACKEND": "alliance.static_files.HashedFiles"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}

    def found():
        return [(one.key, one.state) for one in run(START) if one.key.startswith("static")]

    assert found() == [("static", State.FAILED)], "they are not collected yet"
    call_command("collectstatic", interactive=False, verbosity=0)
    staticfiles_storage._wrapped = empty  # the next process reads their names anew
    assert found() == [("static", State.OK)]
    (source / "page.js").write_text("export const one = 2;")
    assert found() == [("static", State.OK), ("static.sources", State.WARNING)]
    for file in Path(settings.STATIC_ROOT).glob("page.*.js"):
        file.unlink()
    assert found()[0] == ("static", State.FAILED)


# --- As a request comes in -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded", "trusted", "state", "sentence"),
    [
        ("", 1, State.FAILED, "0 addresses in X-Forwarded-For, and TRUSTED_PROXIES is 1"),
        ("192.0.2.1", 2, State.FAILED, "1 address in X-Forwarded-For, and TRUSTED_PROXIES is 2"),
        ("192.0.2.1, 10.0.0.1", 1, State.WARNING, "the whole clinic may share one address"),
        ("192.0.2.1", 0, State.WARNING, "the whole clinic may share one address"),
        ("unknown", 1, State.FAILED, "does not say the visitor's address"),
        ("192.0.2.1", 1, State.OK, "through 1 proxy, as TRUSTED_PROXIES says"),
        ("2001:db8::1, 10.0.0.1", 2, State.OK, "through 2 proxies"),
        ("", 0, State.OK, "without a proxy"),
    ],
)
def test_proxies_are_counted_as_a_request_comes(settings, forwarded, trusted, state, sentence):
    settings.TRUSTED_PROXIES = trusted
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    (finding,) = [
        one for one in run(READY, RequestFactory().get("/", headers=headers)) if one.key == "proxies"
    ]
    assert (finding.state, sentence in finding.sentence) == (state, True), finding


def test_a_proxy_that_hides_https_is_found(settings):
    settings.HTTPS, settings.SECURE_PROXY_SSL_HEADER = True, ("HTTP_X_FORWARDED_PROTO", "https")

    def found(**headers):
        request = RequestFactory().get("/", headers=headers)
        return [one.key for one in run(READY, request) if one.key == "proxies.https"]

    assert (found(), found(**{"X-Forwarded-Proto": "https"})) == (["proxies.https"], [])
