"""Several starts at once: one brings the database up to date, the others wait for it."""

from contextlib import ExitStack
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from alliance.management.commands import migrate_in_turn
from alliance.operations.leader import FileLock
from tests.alliance.operations.processes import started, url_of_the_tests, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
WAITS = "Another start of the site is bringing the database up to date. This one waits for it."


@pytest.fixture
def new_database():
    """The address of one that is empty."""
    name = f"new_{uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield url_of_the_tests().rpartition("/")[0] + f"/{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgresql
def test_three_replicas_on_a_new_database_one_migrates_and_the_others_wait(new_database, tmp_path):
    files = [tmp_path / name for name in ("first", "second", "third")]
    with ExitStack() as stack:
        starts = [
            stack.enter_context(started("manage.py", "migrate_in_turn", said=file, url=new_database))
            for file in files
        ]
        assert [start.wait(timeout=240) for start in starts] == [0, 0, 0]
    said = [file.read_text() for file in files]
    assert [one for one in said if "Traceback" in one] == []
    waited = [one for one in said if one]
    assert len(waited) == 2
    for one in waited:
        assert one.splitlines() == [WAITS, "The database is up to date."]


def test_whoever_waits_has_begun_nothing(tmp_path):
    """On a file that this process holds the lock of; the lock itself is tested on both databases."""
    path, said = tmp_path / "new.sqlite3", tmp_path / "said"
    lock = FileLock(path.with_name("new.sqlite3.migrate"))
    assert lock.take()
    with started("manage.py", "migrate_in_turn", said=said, url=f"sqlite:///{path}") as start:
        wait_until(lambda: WAITS in said.read_text())
        assert start.poll() is None
        assert b"django_migrations" not in path.read_bytes()
    lock.release()


def test_a_database_that_does_not_answer_is_waited_for_and_then_told(monkeypatch):
    def silent(self):
        raise OperationalError("connection refused")

    monkeypatch.setattr(migrate_in_turn, "LONGEST_WAIT_FOR_THE_DATABASE", 0.2)
    monkeypatch.setattr(migrate_in_turn, "BETWEEN_TWO_TRIES", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.ensure_connection", silent)
        with pytest.raises(CommandError, match="Look whether it runs"):
            call_command("migrate_in_turn")
