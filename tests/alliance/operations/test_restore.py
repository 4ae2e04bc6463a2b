"""A backup becomes the database of a site, or everything stays as it was; on both databases."""

import contextlib
import sqlite3
from functools import partial

import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.utils import timezone

from alliance import log_seals, triggers
from alliance.operations import backup, backup_file, backup_keys, kept_rows, manifest, restore
from alliance.operations.failed import Failed
from clients.models import Client
from tests import cast
from tests.alliance.operations.backups import said, without_trigger
from tests.sessions_app.records.erased import erase

pytestmark = pytest.mark.django_db(transaction=True)
RATINGS = "SELECT count(*) FROM sessions_app_rating"
LINE = (
    "INSERT INTO alliance_auditevent (at, action, entity, detail) "
    "VALUES ('2026-12-24 10:00:00', 'viewed', 'client', '{}')"
)


def restored(path, site, **options):
    return said("restore", path, identity=site.key, **options)


@pytest.fixture
def made(site, clinic):
    """A backup with three ratings."""
    cast.rated_course(clinic.olgas, [380, 330])
    cast.rated_course(clinic.carls, [360])
    log_seals.seal()
    return site.backup()


class TestOnANewMachine:
    def test_it_comes_back_with_its_triggers_its_log_and_nobody_signed_in(
        self, site, made, elsewhere, sign_in, clinic
    ):
        sign_in(clinic.olga)
        path = site.backup()
        answer = restored(path, site)
        assert "CommandError" not in answer
        assert "all as the manifest says" in answer
        assert "To look at" not in answer
        assert "kept as" not in answer  # nothing was there before
        assert elsewhere.one(RATINGS) == 3
        assert elsewhere.one("SELECT count(*) FROM alliance_browsersession") == 0
        last = "SELECT action FROM alliance_auditevent ORDER BY id DESC LIMIT 1"
        assert elsewhere.one(last) == "database restored"
        assert elsewhere.one("SELECT file FROM alliance_backupverified") == path.name
        with pytest.raises(Exception, match="append-only"):
            elsewhere.run("UPDATE sessions_app_rating SET total = 1")
        assert elsewhere.copies() in ([], ["site.sqlite3"])

    def test_triggers_that_the_old_database_had_lost_are_put_back(self, site, clinic, elsewhere):
        cast.rated_course(clinic.olgas, [380])
        lost = next(one.name for one in _of_ratings())
        with without_trigger(lost):
            path = site.backup()
        answer = restored(path, site)
        assert f"To look at: The trigger {lost} was missing" in answer
        with pytest.raises(Exception, match="append-only"):
            elsewhere.run("UPDATE sessions_app_rating SET total = 1")


def _of_ratings():
    return [
        one for one in triggers.declared(connection) if one.table == "sessions_app_rating" and not one.reads
    ]


class TestWhatWouldBeLost:
    def test_a_database_with_newer_lines_is_refused_until_it_is_meant(self, site, made, elsewhere):
        restored(made, site)
        elsewhere.run(LINE)
        answer = restored(made, site)
        # The line of the restore itself is the other one.
        assert "The database has 2 lines of the access log newer than this backup" in answer
        assert "as it was" in answer
        held = "SELECT count(*) FROM alliance_auditevent WHERE action = 'viewed' AND at > '2026-12-24'"
        assert elsewhere.one(held) == 1
        answer = restored(made, site, even_though_newer=True)
        assert "Lost: 2 lines of the access log" in answer
        assert "is kept as" in answer
        assert elsewhere.one(held) == 0
        assert any("before" in name for name in elsewhere.copies())

    def test_newer_ratings_are_counted(self, site, made, clinic):
        """What is counted, on the database of the tests itself."""
        told = backup_file.manifest_of(made, backup_keys.identities(site.key))
        database = backup.databases.of_the_site()
        assert manifest.lines_newer({**told, "newest": _as_now(told, database)}, database.ask) == []
        cast.rated_course(clinic.carls, [300, 310])
        said = manifest.lines_newer(told, database.ask)
        assert said[0] == "2 ratings"
        empty = {**told, "newest": dict.fromkeys(told["newest"])}
        assert manifest.lines_newer(empty, database.ask)[0] == "5 ratings"

    def test_what_came_later_under_a_number_that_the_backup_has_too_is_newer(self, site, made, elsewhere):
        """As after an earlier backup was restored and people went on: numbers alone would not tell."""
        told = backup_file.manifest_of(made, backup_keys.identities(site.key))
        restored(made, site)
        future = {
            name: {**newest, "id": newest["id"] + 1000} for name, newest in told["newest"].items() if newest
        }
        assert manifest.lines_newer({**told, "newest": future}, elsewhere.database.ask) == [
            "1 line of the access log"
        ]


def _as_now(told, database):
    return manifest.of(told["engine"], "", database.ask, timezone.now())["newest"]


class TestWhatFails:
    """Whatever goes wrong, the database is as it was, and no copy is left."""

    @pytest.fixture
    def running(self, site, made, elsewhere):
        restored(made, site)
        elsewhere.run(LINE)
        left = elsewhere.copies()

        def is_as_it_was():
            held = "SELECT count(*) FROM alliance_auditevent WHERE at > '2026-12-24'"
            return elsewhere.one(held) == 1 and elsewhere.one(RATINGS) == 3 and elsewhere.copies() == left

        return is_as_it_was

    def test_the_database_is_as_it_was(self, site, made, running, elsewhere, tmp_path, monkeypatch):
        """One after the other on one database, which is looked at after each: to restore it takes seconds."""
        self.a_file_cut_short_another_key_another_version(site, made, running, tmp_path, monkeypatch)
        self.the_database_refuses_what_is_in_it(site, made, running, tmp_path)
        self.it_dies_at_the_last_step(site, made, running, monkeypatch)
        self.the_site_still_runs(site, made, running, elsewhere)

    def a_file_cut_short_another_key_another_version(self, site, made, running, tmp_path, monkeypatch):
        cut = tmp_path / made.name
        cut.write_bytes(made.read_bytes()[:-20])
        answer = restored(cut, site, even_though_newer=True)
        assert "cut short or damaged" in answer
        assert "The database of the site is as it was." in answer
        assert running()
        other = tmp_path / "other.txt"
        other.write_text(str(backup_keys.one_for_the_moment()[0]))
        assert "does not open this backup" in said("restore", made, identity=other, even_though_newer=True)
        assert "--identity" in said("restore", made, even_though_newer=True)
        assert "cannot be read" in restored(tmp_path / "none.age", site)
        of = manifest.of
        for changed, says in (
            ({"migrations": ["alliance.0099_later"]}, "does not know alliance.0099_later"),
            ({"format": 2}, "later version of the program"),
            ({"engine": "other"}, "is of other"),
            ({"rows": {"sessions_app_rating": 4}}, "sessions_app_rating holds 3 rows instead of 4"),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(manifest, "of", lambda *a, changed=changed: {**of(*a), **changed})
                database = backup.databases.of_the_site()
                wrong = tmp_path / "wrong.tar"
                with database.snapshot() as snapshot, wrong.open("wb") as file:
                    told = manifest.of(database.engine, "", snapshot.ask, timezone.now())
                    backup_file.write(file, told, snapshot.content(), [])
            assert says in restored(wrong, site, even_though_newer=True)
            assert running()

    def the_database_refuses_what_is_in_it(self, site, made, running, tmp_path):
        told = backup_file.manifest_of(made, backup_keys.identities(site.key))
        wrong = tmp_path / "wrong.tar"
        with wrong.open("wb") as file:
            backup_file.write(file, told, [b"PGDMP and then nothing of the kind" * 1000], [])
        answer = restored(wrong, site, even_though_newer=True)
        assert "damaged" in answer or "pg_restore failed" in answer
        assert running()

    def the_site_still_runs(self, site, made, running, elsewhere):
        with _somebody_connected(elsewhere.database):
            answer = restored(made, site, even_though_newer=True)
        assert "stop" in answer
        assert "first" in answer
        assert running()

    def it_dies_at_the_last_step(self, site, made, running, monkeypatch):
        def fails(*_):
            raise Failed("The disk is full.")

        with monkeypatch.context() as patch:
            patch.setattr("alliance.operations.restore.put_in_place", fails)
            assert "The disk is full" in restored(made, site, even_though_newer=True)
        assert running()


def _somebody_connected(database):
    if database.engine == "postgresql":
        return database.connected(database.name)
    idle = sqlite3.connect(database.path)
    idle.execute("PRAGMA journal_mode = WAL")
    idle.execute("SELECT count(*) FROM alliance_user").fetchall()
    return contextlib.closing(idle)


class TestWhoWasErasedSince:
    @pytest.fixture
    def erased(self, made, clinic):
        client = clinic.olgas.client
        pk = client.pk
        erase(clinic)
        assert not Client.objects.filter(pk=pk).exists()
        return Client(pk=pk)

    def test_is_erased_again_by_what_the_old_database_knows(self, site, made, erased, elsewhere):
        assert "0 clients were erased again" in restored(
            made, site
        )  # a new machine, and no list newer than the backup
        assert elsewhere.one(RATINGS) == 3
        assert "1 client was erased again" in restored(made, site, even_though_newer=True)
        assert elsewhere.one(f"SELECT count(*) FROM clients_client WHERE id = {erased.pk}") == 0  # noqa: S608
        assert elsewhere.one(RATINGS) == 1

    def test_by_the_list_beside_the_backups_and_by_one_that_is_given(
        self, site, made, erased, elsewhere, monkeypatch, tmp_path
    ):
        lines = [line.strip() for line in kept_rows.erasure_lines()]
        identities = backup_keys.identities(site.key)
        assert len(lines) == 1
        asked = partial(restore._erasures, elsewhere.database, identities=identities)
        assert asked(path=None) == []  # that of the backup, from before the erasure
        backup._write_erasures(site.folder, backup_keys.recipients(site_settings.BACKUP_RECIPIENTS))
        assert asked(path=None) == lines
        given = tmp_path / "erasures.jsonl"
        given.write_text(lines[0].replace("asked", "other") + "\n")
        assert asked(path=given) != lines
        with pytest.raises(Failed, match="cannot be read"):
            asked(path=tmp_path / "none")
        given.write_text('{"erased": "nonsense"}\n')
        assert "as it was" in restored(made, site, erasures=given)
        assert not elsewhere.database.has_rows()
        assert "1 client was erased again" in restored(made, site)
        assert elsewhere.one(RATINGS) == 1
