"""The named cast, and what the database needs between tests."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import setup_databases, teardown_databases

from alliance import triggers
from alliance.measurement import instruments
from alliance.measurement.parameters import ANY_CHANGE
from sessions_app.instruments import clinic_settings
from tests import cast

# Playwright's synchronous driver runs an event loop in this thread; Django would refuse the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_triggers() -> Iterator[None]:
    """A flush empties the tables, which the append-only triggers refuse: lift them for the flush alone.

    For the whole run: with a live server the flush comes after the fixtures of the test are gone.
    """
    flush = type(connection.ops).sql_flush

    def lifted(self, style, tables, **options):
        lift, put_back = _without_triggers(self.connection)
        return [*lift, *flush(self, style, tables, **options), *put_back]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "sql_flush", lifted)
        yield


def _without_triggers(wrapper: BaseDatabaseWrapper) -> tuple[list[str], list[str]]:
    """SQLite empties a table with DELETE, PostgreSQL with TRUNCATE."""
    if wrapper.vendor == "sqlite":
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = cursor.fetchall()
        return [f'DROP TRIGGER "{name}"' for name, _ in found], [sql for _, sql in found]
    refusing = [one for one in triggers.declared(wrapper) if one.name.endswith("_truncate")]
    return (
        [f"ALTER TABLE {one.table} DISABLE TRIGGER {one.name}" for one in refusing],
        [f"ALTER TABLE {one.table} ENABLE TRIGGER {one.name}" for one in refusing],
    )


@pytest.fixture(scope="session")
def _configured_database() -> str:
    return connection.settings_dict["NAME"]


@pytest.fixture(scope="session")
def django_db_setup(_configured_database, django_db_setup, django_db_blocker) -> Iterator[None]:
    """A database of the tests' own also where none asks for it by a mark, as those of the whole demo do not.

    pytest-django then makes none, and they would meet the one that is configured, which may be somebody's.
    """
    if connection.settings_dict["NAME"] != _configured_database:
        yield
        return
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def _mails_at_once(monkeypatch) -> None:
    """A mail sent beside the answer would fall into the next test's outbox."""
    monkeypatch.setattr("alliance.accounts.send_later", lambda written: written().send())


@pytest.fixture(autouse=True, scope="session")
def _every_language_is_switched_on() -> Iterator[None]:
    """As where an administrator has read and chosen them all; `test_client_form.py` begins with a new clinic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clinic_settings, "AT_FIRST", tuple(tag for tag, _name in settings.LANGUAGES))
        yield


@pytest.fixture
def former_list(monkeypatch) -> None:
    """The work list that calls by any change, as if it were shipped: for what follows from a call, whatever calls.

    Two ratings are enough for one then, 39 and 35.2.
    """
    by_any_change = tuple(
        replace(one, parameters=replace(one.parameters, work_list=ANY_CHANGE))
        for one in instruments.all_instruments()
    )
    monkeypatch.setattr(instruments, "all_instruments", lambda: by_any_change)


@pytest.fixture
def clinic(db) -> Iterator[cast.Clinic]:
    """Two teams that must not see each other; see `cast.Clinic` for who is who."""
    return cast.clinic()


@pytest.fixture
def sign_in(client):
    """Sign a member of the cast in on the test client, and hand the client back."""

    def signed_in(person):
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return signed_in
