"""A connection that PostgreSQL ended is never handed out, and a living one is not asked."""

from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg_pool import ConnectionPool

from alliance.pooled_connection import PooledConnection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """What is sent to the database through the pool."""
    sent, execute = [], psycopg.Connection.execute

    def noted(self, query, *args, **options):
        sent.append(query)
        return execute(self, query, *args, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", noted)
    return sent


@pytest.fixture
def pool() -> Iterator[ConnectionPool]:
    """As Django makes it of the settings, with one connection."""
    parameters = connection.get_connection_params()
    options = {**settings.DATABASES["default"]["OPTIONS"]["pool"], "min_size": 1, "max_size": 1}
    check = ConnectionPool.check_connection
    with ConnectionPool(kwargs={**parameters, "autocommit": True}, check=check, **options) as pool:
        yield pool


def pid_through(pool) -> int:
    with pool.connection() as held:
        return held.execute("SELECT pg_backend_pid()").fetchone()[0]


def end(pid) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)


def test_it_is_the_one_of_the_settings():
    assert settings.DATABASES["default"]["OPTIONS"]["pool"]["connection_class"] is PooledConnection


def test_a_living_one_is_not_asked(pool, sent):
    assert pid_through(pool) == pid_through(pool)
    assert sent == ["SELECT pg_backend_pid()"] * 2


def test_one_that_was_ended_is_replaced_before_anybody_gets_it(as_owner, pool, sent):
    first = pid_through(pool)
    end(first)
    assert pid_through(pool) != first
    assert "" in sent


def test_control_unasked_it_is_handed_out_dead(as_owner, pool, monkeypatch):
    first = pid_through(pool)
    end(first)
    monkeypatch.setattr(PooledConnection, "_was_told_something", lambda self: False)
    with pytest.raises(psycopg.OperationalError):
        pid_through(pool)
