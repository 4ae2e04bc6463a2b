"""What the site is told of a request: the request, and nothing of the process."""

from io import BytesIO

import pytest

from alliance import wsgi
from alliance.operations import whole_requests
from alliance.operations.listening import listening


@pytest.mark.parametrize(
    ("name", "passed_on"),
    [
        ("HTTP_COOKIE", True),
        ("CONTENT_TYPE", True),
        ("PATH_INFO", True),
        ("REMOTE_ADDR", True),
        ("wsgi.input", True),
        ("SECRET_KEY", False),
        ("DATABASE_URL", False),
        ("EMAIL_URL", False),
        ("PATH", False),
    ],
)
def test_nothing_of_the_process_reaches_the_session_table(monkeypatch, name, passed_on):
    """allauth stores what it finds under a request while somebody signs in again."""
    seen = {}
    monkeypatch.setattr(wsgi, "site", lambda environ, start_response: seen.update(environ))
    wsgi.application({name: "canary"}, None)
    assert (name in seen) is passed_on


def test_a_worker_works_on_as_many_requests_as_the_server_was_told():
    """More than its connections to the database: what needs none is answered while all wait for a lock."""
    from alliance import asgi

    assert asgi.application._threads._max_workers == listening().threads
    assert asgi.application.site is wsgi.site


def test_requests_that_came_as_a_whole_hold_nothing_of_the_process(monkeypatch):
    """They pass by the filter above: whoever makes them puts nothing else in."""
    monkeypatch.setenv("HTTP_X_OF_THE_PROCESS", "canary")
    headers = [(b"cookie", b"a=b"), (b"content-type", b"text/plain"), (b"x-forwarded-for", b"10.0.0.1")]
    scope = {
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"q=1",
        "http_version": "1.1",
        "headers": headers,
    }
    environ = whole_requests._environ(scope, BytesIO(b"body"), 4)
    assert [name for name in environ if not wsgi.is_of_the_request(name)] == []
    assert (environ["HTTP_COOKIE"], "canary" in environ.values()) == ("a=b", False)
