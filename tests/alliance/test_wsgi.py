"""What the site is told of a request: the request, and nothing of the process."""

import pytest

from alliance import wsgi


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
