"""Whether the site's role in the database may do what it needs and no more, and whether the site is closed."""

from collections.abc import Iterator

from django.db import connection

from alliance.operations import maintenance
from alliance.operations.findings import PAGE, Finding, check, ok, warning
from alliance.operations.site_role import differences

NAMED = 3


@check("site_role", at=PAGE)
def site_role() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return
    found = differences(connection.settings_dict["USER"])
    if found:
        more = f" And {len(found) - NAMED} more." if len(found) > NAMED else ""
        yield warning(
            "site_role",
            "The site's role in the database may do more than it needs, or less: "
            + " ".join(found[:NAMED])
            + more,
            "See 'Two roles of the database' in docs/deployment.md; manage.py check_site_role lists everything.",
        )
    else:
        yield ok("site_role", "The site's role in the database owns nothing and may do only what it needs.")


@check("maintenance", at=PAGE)
def is_closed() -> Iterator[Finding]:
    state = maintenance.closed()
    if state:
        yield warning(
            "maintenance",
            f"The site is closed since {state.since:%Y-%m-%d %H:%M} UTC.",
            "Open it with manage.py maintenance off.",
        )
