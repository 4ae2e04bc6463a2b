"""An SQLite database is readable by the site's own user alone, with what SQLite keeps beside it."""

import os
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings as site

from alliance import private_files
from alliance.operations import checks_of_private_files
from alliance.operations.findings import State

BESIDE = ("", "-wal", "-shm")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def database(tmp_path):
    """As it was found: 0644 in a folder that everybody may enter."""
    tmp_path.chmod(0o755)
    path = tmp_path / "clinic.sqlite3"
    for end in BESIDE:
        beside = path.with_name(path.name + end)
        beside.touch()
        beside.chmod(0o644)
    return path


def test_files_that_others_could_read_are_put_right(database):
    before = private_files.open_to_others(database)
    assert [one.name for one in before] == ["clinic.sqlite3", "clinic.sqlite3-wal", "clinic.sqlite3-shm"]
    private_files.put_right(database)
    assert {mode(database.with_name(database.name + end)) for end in BESIDE} == {0o600}
    assert private_files.open_to_others(database) == []


def test_var_is_the_site_s_own_folder_and_another_one_is_left(database, settings):
    private_files.put_right(database)
    assert mode(database.parent) == 0o755
    settings.VAR_DIR = database.parent
    private_files.put_right(database)
    assert mode(database.parent) == 0o700


def test_a_folder_in_which_others_write_is_told_of_but_not_tmp(database):
    private_files.put_right(database)
    database.parent.chmod(0o775)
    assert private_files.open_to_others(database) == [database.parent]
    database.parent.chmod(0o1777)
    assert private_files.open_to_others(database) == []


def test_the_health_page_says_so(database, monkeypatch):
    of_sqlite = SimpleNamespace(
        vendor="sqlite", is_in_memory_db=lambda: False, settings_dict={"NAME": str(database)}
    )
    monkeypatch.setattr(private_files, "connection", of_sqlite)
    (before,) = checks_of_private_files.private()
    assert before.state == State.WARNING
    assert before.sentence.endswith("clinic.sqlite3, clinic.sqlite3-wal, clinic.sqlite3-shm.")
    private_files.put_right(database)
    (after,) = checks_of_private_files.private()
    assert after.state == State.OK


def test_a_started_site_leaves_no_file_that_others_read_whatever_the_umask(tmp_path):
    """In a process of its own, as a helper starts it."""
    path = tmp_path / "clinic.sqlite3"
    environment = {**os.environ, "DEMO": "on", "DATABASE_URL": f"sqlite:///{path}"}
    says = (
        "import os; os.umask(0o022)\n"
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "connection.cursor().execute('CREATE TABLE one (id integer)')\n"
        "print(sorted((f, oct(os.stat(f).st_mode & 0o777)) for f in os.listdir('.') if f.startswith('clinic')))\n"
    )
    environment["DJANGO_SETTINGS_MODULE"] = "alliance.settings"
    environment["PYTHONPATH"] = str(site.BASE_DIR)
    run = [sys.executable, "-c", says]
    out = subprocess.run(
        run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert out.count("'0o600'") == out.count("clinic.sqlite3") == 3, out
