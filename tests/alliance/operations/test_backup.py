"""A backup is made while people work, and is there whole or not at all; on both databases."""

import errno
import fcntl
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from alliance import audit, log_seals
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from alliance.operations import backup, backup_file, backup_folder, backup_keys, databases, postgresql_tools
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified, WhichKey
from alliance.operations.failed import Failed
from sessions_app.courses.models import Rating
from tests import cast
from tests.alliance.operations.backups import said

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS_WAIT = 60


def manifest_of(path, key):
    return backup_file.manifest_of(path, backup_keys.identities(key))


def mode(path):
    return os.stat(path).st_mode & 0o777


class TestWhatIsMade:
    def test_one_private_file_with_a_manifest_and_the_list_of_erasures(self, site, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        log_seals.seal()
        answer = said("backup")
        (name,) = [name for name in site.files() if name.startswith("alliance-")]
        assert name.endswith(".tar.age")
        assert name in answer
        assert site.files() == [name, "erasures.jsonl.age"]
        assert mode(site.folder) == 0o700
        assert {mode(path) for path in site.folder.iterdir()} == {0o600}
        told = manifest_of(site.folder / name, site.key)
        assert told["rows"]["sessions_app_rating"] == Rating.objects.count() == 2
        assert told["newest"]["sessions_app_rating"]["id"] == Rating.objects.latest("pk").pk
        assert (
            datetime.fromisoformat(told["newest"]["sessions_app_rating"]["at"])
            == Rating.objects.latest("pk").received_at
        )
        assert told["log_head"]["hash"] == log_seals.newest().hash
        assert told["engine"] == connection.vendor
        assert "alliance.0001_initial" in told["migrations"]
        row = BackupMade.objects.get()
        assert (row.file, row.encrypted, row.log_head) == (name, True, log_seals.newest().hash)
        assert row.size == (site.folder / name).stat().st_size
        assert AuditEvent.objects.latest("pk").action == "backup made"

    def test_no_secret_of_the_site_is_in_it(self, site, clinic, settings):
        settings.BACKUP_RECIPIENTS = []
        said("backup", unencrypted=True)
        (name,) = [name for name in site.files() if name.startswith("alliance-")]
        content = (site.folder / name).read_bytes()
        assert settings.SECRET_KEY.encode() not in content
        assert b"manifest.json" in content
        assert settings.SECRET_KEY not in str(manifest_of(site.folder / name, site.key))

    def test_two_in_one_second_are_two(self, site, clinic):
        paths = {site.backup() for _ in range(3)}
        assert len(paths) == 3

    def test_without_a_recipient_it_is_refused_in_one_sentence(self, site, clinic, settings):
        settings.BACKUP_RECIPIENTS = []
        assert said("backup").startswith("CommandError: BACKUP_RECIPIENTS is missing")
        assert not site.folder.exists()
        settings.BACKUP_RECIPIENTS = ["age1wrong"]
        assert "is no public key" in said("backup")
        assert not BackupMade.objects.exists()


class TestWhilePeopleWork:
    def test_a_backup_that_never_ended_while_ratings_came_in_ends_and_has_every_one_from_before(
        self, site, clinic
    ):
        """SQLite's own online backup begins anew with each write of another process."""
        sessions = [cast.therapy_session(clinic.olgas) for _ in range(12)]
        acknowledged, enough, stop = [], threading.Event(), threading.Event()

        def rate():
            try:
                for place, session in enumerate(sessions):
                    acknowledged.append(cast.rating(session, 380).code)
                    if place == 3:
                        enough.set()
                # And something every moment, as long as the backup takes.
                while not stop.is_set():
                    audit.record(LogEvent.LOG_VERIFIED, clinic.adam, by=None)
                    acknowledged.append(None)
            finally:
                enough.set()
                connection.close()

        writer = threading.Thread(target=rate)
        writer.start()
        assert enough.wait(WRITERS_WAIT)
        before, written_before = [code for code in acknowledged if code], len(acknowledged)
        try:
            path = site.backup()
            written_during = len(acknowledged) - written_before
        finally:
            stop.set()
            writer.join()
        told = manifest_of(path, site.key)
        assert len(before) >= 4
        assert written_during > 0  # nobody waited for it
        ids = dict(Rating.objects.values_list("code", "pk"))
        assert told["newest"]["sessions_app_rating"]["id"] >= max(ids[code] for code in before)
        assert len(before) <= told["rows"]["sessions_app_rating"] <= 12

    def test_what_is_written_after_its_moment_is_not_in_it(self, site, clinic):
        """Manifest and content are of one moment, however long writing takes."""
        cast.rated_course(clinic.olgas, [380])
        database = databases.of_the_site()
        with database.snapshot() as snapshot:
            cast.rated_course(clinic.carls, [330])
            assert snapshot.ask("SELECT count(*) FROM sessions_app_rating") == [(1,)]
            content = b"".join(snapshot.content())
        with database.new_copy() as copy:
            copy.load([content])
            assert copy.ask("SELECT count(*) FROM sessions_app_rating") == [(1,)]
        assert Rating.objects.count() == 2


class TestWhatFails:
    def test_two_at_once_are_refused(self, site, clinic):
        site.backup()
        with (site.folder / ".lock").open() as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            assert "Another backup is under way" in said("backup")
        assert "rows" in said("backup")

    def test_what_a_killed_one_left_is_cleared_away(self, site, clinic):
        site.backup()
        left = site.folder / "alliance-2026-11-27T010000Z.tar.age.unfinished"
        left.write_bytes(b"half")
        site.backup()
        assert not left.exists()

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
    def test_a_full_disk_is_said_and_leaves_the_earlier_ones(self, site, clinic, monkeypatch, code):
        earlier = site.backup()
        content = earlier.read_bytes()

        def full(file, *more):
            file.write(b"half of it")
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patch:
            patch.setattr(backup_file, "write", full)
            answer = said("backup")
        assert "The disk is full" in answer
        assert "Traceback" not in answer
        assert [name for name in site.files() if name.startswith("alliance-")] == [earlier.name]
        assert not list(site.folder.glob("*.unfinished"))
        assert earlier.read_bytes() == content
        assert BackupMade.objects.count() == 1

    def test_a_folder_that_cannot_be_made_or_read_is_said(self, site, clinic, settings, monkeypatch):
        settings.BACKUP_FOLDER = "/proc/backups"
        assert "cannot be made private" in said("backup")
        settings.BACKUP_FOLDER = str(site.key)  # a file
        assert "cannot be made private" in said("backup")
        settings.BACKUP_FOLDER = str(site.folder)
        site.backup()

        def refused(_self):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "iterdir", refused)
        assert "cannot be read: Permission denied" in said("backup")
        assert "cannot be read: Permission denied" in said("verify_backup")

    def test_a_folder_that_others_may_read_is_made_private(self, site, clinic):
        site.folder.mkdir(mode=0o755)
        site.folder.chmod(0o755)
        site.backup()
        assert mode(site.folder) == 0o700

    @pytest.mark.postgresql
    def test_without_pg_dump_it_says_what_to_install(self, site, clinic, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(postgresql_tools, "APART", tmp_path)
        major = databases.of_the_site().major()
        assert f"pg_dump is not on this machine: install the package postgresql-client-{major}" in said(
            "backup"
        )
        old = tmp_path / "pg_dump"
        old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6'\n")
        old.chmod(0o755)
        assert f"pg_dump is of PostgreSQL 9 and the server of {major}" in said("backup")
        old.write_text(
            "#!/bin/sh\necho 'pg_dump (PostgreSQL) 99'\ntest $1 = --version || { echo lost it >&2; exit 1; }\n"
        )
        old.chmod(0o755)
        assert "pg_dump failed: lost it" in said("backup")
        assert [name for name in site.files() if name.startswith("alliance-")] == []


class TestWhatIsDeleted:
    @pytest.fixture
    def old(self, site, clinic):
        """One of each of the last 40 nights; files of the names alone."""
        site.backup()
        for ago in range(1, 41):
            at = datetime.now(UTC) - timedelta(days=ago, hours=1)
            (site.folder / f"alliance-{at:{backup_folder.STAMP}}.tar.age").touch()
        return [one.path.name for one in backup_folder.backups()]

    def test_past_ones_go_and_other_files_stay(self, site, old, settings):
        (site.folder / "letter.tar.age").touch()
        settings.BACKUP_KEEP = (3, 0, 0)
        assert "were" not in said("backup", keep_all=True)
        assert set(old) < set(site.files())
        answer = said("backup")
        left = [name for name in site.files() if name.startswith("alliance-")]
        assert len(left) <= 5
        assert f"{old[0]} was deleted" in answer
        assert "letter.tar.age" in site.files()

    def test_the_last_one_that_was_found_whole_stays(self, site, old, settings):
        settings.BACKUP_KEEP = (1, 0, 0)
        for name, whole in ((old[3], True), (old[10], True), (old[20], False)):
            BackupVerified.objects.create(
                file=name, made_at=datetime.now(UTC), seconds=1, key=WhichKey.CLINIC, is_whole=whole
            )
        said("backup")
        assert old[10] in site.files()
        assert not {old[3], old[20]} & set(site.files())


class TestTheKeys:
    def test_are_printed_or_written_encrypted_apart(self, site, clinic, settings, tmp_path):
        settings.SECRET_KEY_FALLBACKS = ["older-1", "older-2"]
        printed = said("backup_keys")
        assert printed == f"SECRET_KEY={settings.SECRET_KEY}\nSECRET_KEY_FALLBACKS=older-1,older-2\n"
        apart = tmp_path / "keys.age"
        said("backup_keys", "--to", apart)
        assert mode(apart) == 0o600
        assert settings.SECRET_KEY.encode() not in apart.read_bytes()
        assert backup_keys.unsealed(apart.read_bytes(), backup_keys.identities(site.key)) == printed.encode()
        assert "apart from the backups" in said("backup_keys", "--to", site.folder / "keys.age")
        settings.BACKUP_RECIPIENTS = []
        assert "BACKUP_RECIPIENTS is missing" in said("backup_keys", "--to", apart)

    def test_a_new_pair_opens_what_is_encrypted_to_it(self, site, clinic, settings, tmp_path):
        key = tmp_path / "new.txt"
        key.write_text(said("backup_keys", "--new").partition("Put BACKUP")[0])
        settings.BACKUP_RECIPIENTS = [key.read_text().split()[3]]
        path = site.backup()
        assert manifest_of(path, key)["format"] == 1
        with pytest.raises(Failed, match="does not open"):
            manifest_of(path, site.key)


def test_the_list_of_erasures_replaces_the_one_before(site, clinic, settings):
    site.backup()
    settings.BACKUP_RECIPIENTS = []
    backup.make(unencrypted=True)
    assert [name for name in os.listdir(site.folder) if name.startswith("erasures")] == ["erasures.jsonl"]


def test_a_role_of_its_own_makes_backups_and_the_owner_restores(settings):
    of = {"HOST": "db", "PORT": 5432, "PASSWORD": "x", "NAME": "other", "ENGINE": ""}
    settings.BACKUP_DATABASE = {**of, "USER": "backup"}
    settings.DATABASE_OWNER = {**of, "USER": "owner"}
    for database, user in (
        (databases.of_the_site(), "backup"),
        (databases.of_the_site(as_owner=True), "owner"),
    ):
        if connection.vendor == "postgresql":
            assert database.connecting["user"] == user
            assert database.name == connection.settings_dict["NAME"]
        else:
            assert str(database.path) == str(connection.settings_dict["NAME"])
