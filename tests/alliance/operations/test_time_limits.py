"""A page that waits too long for the database gets a sentence that claims nothing; a device keeps its marks."""

import threading
import time

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections, transaction
from django.test import Client as Browser
from django.urls import reverse
from psycopg_pool import PoolTimeout
from psycopg_pool.base import AttemptWithBackoff

from alliance.operations import time_limits
from clients.models import Episode
from tests import cast

BUSY, AWAY = "The database is busy", "The database does not answer"
UNKNOWN = "We do not know whether your last entry was saved."
NOTHING = "Nothing of what you sent was saved."


def caused_by(cause):
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


WAITED_FOR_A_LOCK = caused_by(psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"))
TOOK_TOO_LONG = caused_by(psycopg.errors.QueryCanceled("canceling statement due to statement timeout"))
NO_CONNECTION = caused_by(PoolTimeout("couldn't get a connection after 10.00 sec"))
GONE = caused_by(psycopg.OperationalError("server closed the connection unexpectedly"))
LOCKED_FILE = OperationalError("database is locked")


@pytest.fixture
def answer(monkeypatch, db):
    """What a page says whose first look into the database meets an error."""

    def answer(method, address, error):
        def broken(*args, **kwargs):
            raise error

        monkeypatch.setattr("alliance.session_store.SessionStore.load", broken)
        browser = Browser(raise_request_exception=False)
        browser.cookies[settings.SESSION_COOKIE_NAME] = "k" * 32
        return getattr(browser, method)(address)

    return answer


@pytest.mark.parametrize(
    ("error", "title", "after_a_post"),
    [
        (WAITED_FOR_A_LOCK, BUSY, UNKNOWN),
        (TOOK_TOO_LONG, BUSY, UNKNOWN),
        (LOCKED_FILE, BUSY, UNKNOWN),
        (NO_CONNECTION, BUSY, NOTHING),
        (GONE, AWAY, UNKNOWN),
    ],
    ids=["lock", "statement", "sqlite", "pool", "gone"],
)
def test_a_busy_database_is_a_bare_error_or_a_claim_that_nobody_can_make(answer, error, title, after_a_post):
    posted = answer("post", "/clients/new/", error)
    assert (posted.status_code, posted["Retry-After"]) == (503, "10")
    assert title in posted.text
    assert after_a_post in posted.text
    read = answer("get", "/clients/", error)
    assert read.status_code == 503
    assert title in read.text
    assert "saved." not in read.text


def test_another_fault_is_still_another_page(answer):
    fault = answer("post", "/clients/new/", ValueError("something else"))
    assert fault.status_code == 500
    assert "Something broke on our side" in fault.text


def test_a_client_whose_form_meets_a_busy_database_is_told_to_try_again(answer):
    posted = answer("post", "/rate/", WAITED_FOR_A_LOCK)
    assert (posted.status_code, posted["Retry-After"]) == (503, "10")
    assert "That did not work." in posted.text


@pytest.mark.parametrize("address", ["/rate/", "/go/", "/room/", "/clients/new/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_about_a_database_without_a_connection_waits_for_one_again(monkeypatch, db, address, method):
    """Ten seconds each time: a client's page asked three times, and a device gives up after fifteen seconds."""
    asked = []

    def waiting(*args, **kwargs):
        asked.append(args)
        raise NO_CONNECTION

    monkeypatch.setattr("alliance.session_store.SessionStore.load", waiting)
    browser = Browser(raise_request_exception=False)
    browser.cookies[settings.SESSION_COOKIE_NAME] = "k" * 32
    answered = getattr(browser, method)(address)
    assert (answered.status_code, answered["Retry-After"]) == (503, "10")
    assert len(asked) == 1


def test_limits_are_of_pages_alone_and_left_to_the_role_behind_a_pooler(monkeypatch, settings):
    one = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"options": "-c statement_timeout=5s"}}
    lite = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    monkeypatch.setattr(connections, "settings", {"default": one, "lite": lite})
    settings.DATABASE_POOLER = True
    time_limits.limit_pages()
    assert one["OPTIONS"]["options"] == "-c statement_timeout=5s"
    settings.DATABASE_POOLER = False
    time_limits.limit_pages()
    limits = "-c lock_timeout=5s -c statement_timeout=30s -c statement_timeout=5s"
    assert (one["OPTIONS"]["options"], lite["OPTIONS"]) == (limits, {})


@pytest.mark.postgresql
def test_the_site_stays_away_for_as_long_again_as_the_database_was():
    """The pool doubles its pauses between two tries; none may be longer than somebody waits for a page."""
    timeout = connection.settings_dict["OPTIONS"]["pool"]["reconnect_timeout"]
    attempt, now, pauses = AttemptWithBackoff(timeout=timeout), time.monotonic(), []
    while not attempt.time_to_give_up(now):
        attempt.update_delay(now)
        pauses.append(attempt.delay)
        now += attempt.delay
    assert pauses
    assert max(pauses) < 3


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_lock_on_one_table_stands_the_whole_site_still(clinic, sign_in):
    """Until the lock goes, each page that waits for it gets its sentence, and other pages are answered."""
    cast.therapy_session(clinic.olgas)
    browser = sign_in(clinic.olga)
    browser.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    is_locked, is_over = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Episode.objects.select_for_update().get(pk=clinic.olgas.pk)
            is_locked.set()
            is_over.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert is_locked.wait(30)
        answered = browser.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        assert answered.status_code == 503
        assert UNKNOWN in answered.text
        assert browser.get(reverse("dashboard:work_list")).status_code == 200
    finally:
        is_over.set()
        holder.join(30)
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
