"""A backup is restored into a copy, and what is wrong with it is found; on both databases."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance import audit, log_seals, triggers
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from alliance.operations import (
    checks_of_backups,
    clock_tasks,
    copy_checks,
    kept_rows,
    manifest,
    nightly_backup,
)
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified, WhichKey
from alliance.operations.findings import State
from tests import cast
from tests.alliance.operations.backups import OF_THE_TESTS, said, without_trigger
from tests.alliance.sign_in import give_an_app
from tests.alliance.tampering import tamper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def course(clinic):
    """Ratings, a sealed log, and Olga with an app for one-time codes."""
    cast.rated_course(clinic.olgas, [380, 330])
    give_an_app(clinic.olga)
    log_seals.seal()


def beside():
    """What is left of copies."""
    database = OF_THE_TESTS()
    if connection.vendor == "sqlite":
        return list(database.path.parent.glob(".alliance-copy-*"))
    return database.ask(f"SELECT datname FROM pg_database WHERE datname LIKE '{database.name}_copy_%'")  # noqa: S608


def test_a_backup_that_is_whole_is_found_so_and_the_copy_goes(site, clinic, course):
    nightly = nightly_backup.make(None)
    assert "was made, restored into a copy, and is whole." in nightly
    assert clock_tasks.named("backup").work == nightly_backup.make
    row = BackupVerified.objects.get()
    assert (row.is_whole, row.found, row.key) == (True, [], WhichKey.MOMENT)
    assert row.file == BackupMade.objects.get().file
    answer = said("verify_backup", identity=site.key)
    assert f"{row.file} can be restored" in answer
    assert BackupVerified.objects.first().key == WhichKey.CLINIC
    assert "--identity" in said("verify_backup")
    assert beside() == []
    # Nothing of what was tried on the copy reached the database of the site.
    clinic.olga.refresh_from_db()
    assert clinic.olga.check_password(cast.PASSWORD)
    assert not AuditEvent.objects.filter(action="signed in").exists()


def test_a_dropped_trigger_a_changed_line_missing_rows_and_a_factor_that_is_closed_are_found(
    site, clinic, course, monkeypatch
):
    audit.record(LogEvent.VIEWED, clinic.olgas.client, by=clinic.olga)
    log_seals.seal()
    line = AuditEvent.objects.latest("pk")
    tamper("UPDATE alliance_auditevent SET action = 'refused' WHERE id = %s", line.pk)
    cut = next(one.name for one in triggers.declared(connection) if one.table == "sessions_app_rating")
    give_an_app(clinic.carl)
    factor = clinic.carl.authenticator_set.get()
    factor.data = {"secret": "sealed with another key"}
    factor.save()
    of = manifest.of
    more = {"sessions_app_rating": 7}
    monkeypatch.setattr(manifest, "of", lambda *a: (told := of(*a)) | {"rows": told["rows"] | more})
    with without_trigger(cut):
        with pytest.raises(clock_tasks.Found, match="it is not whole: sessions_app_rating holds 2 rows"):
            nightly_backup.make(None)
        answer = said("backup", verify=True)
    assert "The backup was made, and restored into a copy it is not as it has to be." in answer
    found = BackupVerified.objects.first().found
    assert [sentence for sentence in found if sentence in answer] == found
    assert found[0] == "sessions_app_rating holds 2 rows instead of 7."
    assert found[1] == f"The trigger {cut} was missing, or not as it has to be: rows could be changed."
    assert found[2].startswith(f"Line {line.pk:,} was changed after seal")
    assert found[3].startswith("1 of 2 second factors cannot be opened")
    assert len(found) == 4
    assert beside() == []


def test_a_file_that_is_damaged_is_a_finding_and_not_an_error(site, clinic, course):
    path = site.backup()
    content = bytearray(path.read_bytes())
    content[-2000] ^= 1
    path.write_bytes(content)
    assert "cut short or damaged" in said("verify_backup", path, identity=site.key)
    # So it is where not even the manifest can be read.
    path.write_bytes(path.read_bytes()[:700])
    assert "cut short or damaged" in said("verify_backup", path, identity=site.key)
    assert [row.is_whole for row in BackupVerified.objects.all()] == [False, False]
    assert beside() == []
    assert "There is no backup" in _without_any(site)


def _without_any(site):
    for path in site.folder.glob("alliance-*"):
        path.unlink()
    return said("verify_backup", identity=site.key)


class TestWhatIsTriedOnACopy:
    def test_the_command_refuses_the_database_of_the_site(self, clinic):
        assert "a copy of the database alone" in said("work_on_copy", "verify")

    def test_a_sign_in_that_fails_and_a_page_that_does_not_open_are_found(self, clinic, course, monkeypatch):
        assert list(copy_checks.of_a_sign_in()) == []
        assert AuditEvent.objects.filter(action="viewed", actor=clinic.olga.pk).exists()  # of a client's page
        with monkeypatch.context() as patch:
            patch.setattr(kept_rows, "_PAGES_TO_TRY", [lambda _person: "/nowhere/"])
            assert list(copy_checks.of_a_sign_in()) == ["After a sign-in a page could not be shown (404)."]
        monkeypatch.setattr(copy_checks, "_code_of_now", lambda _secret: "abcdef")
        (sentence,) = copy_checks.of_a_sign_in()
        assert sentence.startswith("A sign-in with the stored second factor did not succeed")

    def test_a_whole_backup_is_not_called_damaged_where_no_static_files_are_collected(
        self, clinic, course, settings, tmp_path
    ):
        """As on a new machine, to which it is brought. The control: another page of this site is not drawn there."""
        settings.STATIC_ROOT = tmp_path
        hashed = {"BACKEND": "alliance.static_files.HashedFiles"}
        settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
        assert list(copy_checks.of_a_sign_in()) == []
        with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
            Browser().get(reverse("account_login"))

    def test_another_secret_key_is_found(self, clinic, course, settings):
        told = {"sealing_key": copy_checks.sealing.public_key()[0]}
        assert list(copy_checks.of_the_keys(told)) == []
        old = settings.SECRET_KEY
        settings.SECRET_KEY = "another-" + "1" * 60
        found = list(copy_checks.of_the_keys(told))
        assert found[0].startswith("SECRET_KEY is not the one of this backup")
        assert found[1].startswith("1 of 1 second factors cannot be opened")
        settings.SECRET_KEY_FALLBACKS = [old]
        assert list(copy_checks.of_the_keys(told)) == []

    def test_everybody_is_signed_out(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        assert browser.get("/", follow=True).status_code == 200
        copy_checks.sign_everybody_out()
        assert browser.get("/").url.startswith("/accounts/login/")


class TestHealth:
    def states(self):
        return [(one.state, one.sentence) for one in checks_of_backups.backups()]

    def made(self, **fields):
        now = timezone.now()
        of = {
            "made_at": now,
            "seconds": 1,
            "size": 1,
            "rows": 1,
            "encrypted": True,
            "version": "",
            "log_head": "",
        }
        return BackupMade.objects.create(file="a", **{**of, **fields})

    def test_says_what_is_missing(self, site, clinic, settings):
        said = self.states()
        assert (State.WARNING, "No backup was ever made.") in said
        assert (State.WARNING, "A backup was last restored and found whole: never.") in said
        settings.BACKUP_RECIPIENTS = []
        assert self.states()[0] == (
            State.WARNING,
            "BACKUP_RECIPIENTS is missing, so no backup is made at night.",
        )
        assert nightly_backup.make(None) == nightly_backup.NONE_IS_MADE
        settings.BACKUP_RECIPIENTS = ["age1no"]
        assert self.states()[0][0] == State.FAILED
        settings.DEMO = True
        assert self.states() == []

    @pytest.mark.parametrize(
        ("hours", "state"),
        [(20, State.OK), (31, State.WARNING), (6 * 24, State.WARNING), (8 * 24, State.FAILED)],
    )
    def test_age_of_the_newest(self, site, clinic, hours, state):
        self.made(made_at=timezone.now() - timedelta(hours=hours))
        assert self.states()[0][0] == state

    def test_what_was_found_and_by_which_key(self, site, clinic):
        self.made(encrypted=False)
        of = {"file": "a", "made_at": timezone.now(), "seconds": 1}
        BackupVerified.objects.create(key=WhichKey.MOMENT, is_whole=True, **of)
        said = [sentence for _, sentence in self.states()]
        assert "The newest backup is not encrypted." in said
        assert any("clinic's private key" in sentence for sentence in said)
        BackupVerified.objects.create(key=WhichKey.CLINIC, is_whole=True, **of)
        assert not any("clinic's private key" in sentence for _, sentence in self.states())
        BackupVerified.objects.create(key=WhichKey.MOMENT, is_whole=False, found=["A row is missing."], **of)
        assert any(
            state == State.FAILED and "A row is missing" in sentence for state, sentence in self.states()
        )
