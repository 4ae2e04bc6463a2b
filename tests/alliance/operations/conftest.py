"""Who looks after the server does here what the site may not: drops triggers, makes databases, ends connections."""

import pytest

from tests.alliance.operations.backups import elsewhere, site  # noqa: F401

AS_THE_SITE = {"test_site_role.py", "test_time_limits.py", "test_maintenance.py"}


@pytest.fixture(autouse=True)
def _as_who_looks_after_the_server(request, monkeypatch) -> None:
    """As the owner on PostgreSQL, who would be named by the check of the site's role."""
    uses_rows = request.node.get_closest_marker("django_db") or "db" in request.fixturenames
    if uses_rows and request.node.path.name not in AS_THE_SITE:
        request.getfixturevalue("as_owner")
        monkeypatch.setattr("alliance.operations.checks_of_site_role.differences", lambda role: [])
