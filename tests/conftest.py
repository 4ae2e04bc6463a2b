"""The named cast, and what the database needs between tests."""

import gc
import os
from collections.abc import Iterator
from tempfile import TemporaryFile

import pytest
from django.conf import settings
from django.core.management.commands import flush as flush_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from alliance.operations import maintenance
from sessions_app.instruments import clinic_settings
from tests import cast, flush, site_role
from tests.built_once import send_mails_at_once, under_the_former_list

# Playwright's synchronous driver runs an event loop in this thread; Django would refuse the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

# Collecting makes some million objects and leaves next to no garbage: looking for it took more than half of the time.
gc.disable()


# They start servers and commands, which reach a database that pytest-django knows nothing of.
STARTS_PROCESSES = ("operations", "chaos", "guide", "upgrades")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `database` every test that may query one. The others give the same result on every database."""
    for item in items:
        if _may_ask_the_database(item):
            item.add_marker("database")


def _may_ask_the_database(item: pytest.Item) -> bool:
    if any(folder in item.path.parts for folder in STARTS_PROCESSES):
        return True
    if any(item.get_closest_marker(name) for name in ("django_db", "postgresql", "browser")):
        return True
    # By a fixture of pytest-django, or by one of the tests' own that lifts the block.
    if {"db", "transactional_db", "live_server"} & set(item.fixturenames):
        return True
    return any(
        "django_db_blocker" in one.argnames
        and not one.func.__module__.startswith(("pytest_django.", "tests.conftest"))
        for found in item._fixtureinfo.name2fixturedefs.values()
        for one in found
    )


def pytest_collection_finish() -> None:
    """What was collected lives to the end: no search for garbage between the tests goes through it again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _flush_what_holds_rows() -> Iterator[None]:
    """For the whole run: with a live server the flush comes after the fixtures of the test are gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush_command.Command, "handle", lambda _, **options: flush.flush(options["database"]))
        yield


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


@pytest.fixture(autouse=True, scope="session")
def _as_the_sites_own_role(django_db_setup, django_db_blocker) -> Iterator[None]:
    """On PostgreSQL the whole product is tested as the role that owns nothing; a test that makes tables says so."""
    if connection.vendor != "postgresql":
        yield
        return
    with django_db_blocker.unblock():
        site_role.make()
        with site_role.assumed():
            yield


@pytest.fixture
def as_owner() -> Iterator[None]:
    """What this test does to tables and triggers, the site's role may not."""
    with site_role.left():
        yield


@pytest.fixture(autouse=True)
def _every_request_has_one_number(request, monkeypatch) -> None:
    """Pages about errors show it: two that say the same could not be compared. Its own tests draw real ones."""
    if "operations" not in request.path.parts:
        monkeypatch.setattr("alliance.operations.request_number.drawn", lambda: "TEST-2345")


@pytest.fixture(autouse=True)
def _mails_at_once(monkeypatch) -> None:
    send_mails_at_once(monkeypatch)


@pytest.fixture(autouse=True)
def _files_sent_are_closed(monkeypatch) -> Iterator[None]:
    """As a server closes them. A test that does not read its file would leave it to the garbage collector, which
    warns in the midst of some other test."""
    sent = []

    def file():
        sent.append(TemporaryFile())  # noqa: SIM115 - closed below
        return sent[-1]

    monkeypatch.setattr("alliance.whole_file.TemporaryFile", file)
    yield
    for one in sent:
        one.close()


@pytest.fixture(autouse=True, scope="session")
def _open_without_a_look() -> Iterator[None]:
    """Whether the site is closed is read every few seconds: it would count among the queries of some pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maintenance.switch, "state", lambda: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _every_language_is_switched_on() -> Iterator[None]:
    """As where an administrator has read and chosen them all; `test_client_form.py` begins with a new clinic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clinic_settings, "AT_FIRST", tuple(tag for tag, _name in settings.LANGUAGES))
        yield


@pytest.fixture(autouse=True, scope="session")
def _few_clients_are_simulated() -> Iterator[None]:
    """Seconds for each page and each change of the rules otherwise; the simulation has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for place in ("flags.chance_returns", "rulebook.list_words", "rulebook.settings_pages"):
            patch.setattr(f"sessions_app.{place}.SIMULATED_CLIENTS", 20)
        yield


@pytest.fixture
def former_list() -> Iterator[None]:
    """The work list that calls by any change, as if it were shipped: for what follows from a call, whatever calls.

    Two ratings are enough for one then, 39 and 35.2.
    """
    with under_the_former_list():
        yield


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
