"""Whether the database is what the code believes it to be: migrated, protected, quick, with the same time."""

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from alliance import triggers
from alliance.operations.constraints import Lack, lacking_constraints
from alliance.operations.findings import PAGE, READY, START, Finding, check, failed, ok, warning

PROBES = 5
SLOW, TOO_SLOW = 0.05, 1.0  # seconds for the smallest question
SKEW, TOO_MUCH_SKEW = 5, 60  # seconds
NAMES = 5  # that a sentence gives of many
WHO_DID_IT = "Then look with manage.py audit_verify whether somebody used the time."


@check("migrations", at=START | READY | PAGE)
def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
    ours = {app for app, _ in executor.loader.disk_migrations}
    newer = sorted(".".join(one) for one in unknown if one[0] in ours)
    if plan:
        count = f"{len(plan)} migration{'' if len(plan) == 1 else 's'}"
        yield failed(
            "migrations",
            f"The database is older than the site: {count} to be applied.",
            "Run manage.py migrate, as scripts/start.sh does.",
        )
    elif newer:
        yield warning(
            "migrations.newer",
            f"The database is newer than the site: it has {_some(newer)}, which this version does not know.",
            "One release back is meant to work. Go on to the newer version as soon as it is mended.",
        )
    else:
        yield ok("migrations", "The database is of the version of the site.")


@check("writable", at=START | READY | PAGE)
def takes_writes() -> Iterator[Finding]:
    """A standby that nobody promoted answers every question, and refuses the first rating."""
    if connection.vendor == "postgresql" and _ask("SHOW transaction_read_only") == "on":
        yield failed(
            "writable",
            "The database only reads: it is a standby, or was switched to read-only.",
            "Let DATABASE_URL name the primary, or promote this one.",
        )


@check("triggers", at=START | PAGE)
def protections() -> Iterator[Finding]:
    lost = triggers.missing_triggers(connection)
    if lost:
        yield failed(
            "triggers",
            f"{len(lost)} protection{'' if len(lost) == 1 else 's'} of the database not as declared, "
            f"so that ratings or the log could be changed: {_some(lost)}.",
            f"Run manage.py migrate as the owner of the tables, which puts them back. {WHO_DID_IT}",
        )
    else:
        yield ok("triggers", f"All {len(triggers.declared(connection))} triggers are as declared.")


@check("constraints", at=START | PAGE)
def constraints() -> Iterator[Finding]:
    lacking = lacking_constraints(connection)
    gone = [lack.name for lack in lacking if lack.kind is not Lack.OTHER]
    other = [lack.name for lack in lacking if lack.kind is Lack.OTHER]
    if gone:
        yield failed(
            "constraints",
            f"{len(gone)} constraints of the database are gone, so that rows could be doubled or wrong: {_some(gone)}.",
            "Somebody changed the tables by hand. Restore the last good backup, or add them as manage.py sqlmigrate "
            "has them.",
        )
    if other:
        yield warning(
            "constraints.other",
            f"{len(other)} constraints of the database read otherwise than declared: {_some(other)}.",
            "Compare them with manage.py sqlmigrate, and restore a backup where somebody changed them by hand.",
        )
    if not lacking:
        yield ok("constraints", "All constraints are as declared.")


@check("latency", at=PAGE)
def latency() -> Iterator[Finding]:
    taken = []
    for _ in range(PROBES):
        began = time.perf_counter()
        _ask("SELECT 1")
        taken.append(time.perf_counter() - began)
    middle = statistics.median(taken)
    said = f"The database answers in {middle * 1000:.1f} ms"
    to_do = (
        "Look at the load of the database's machine and at the network: a page asks it ten to thirty times."
    )
    if middle > TOO_SLOW:
        yield failed("latency", f"{said}: pages take minutes.", to_do)
    elif middle > SLOW:
        yield warning("latency", f"{said}: pages are slow.", to_do)
    else:
        yield ok("latency", f"{said}.")


@check("time", at=PAGE)
def clock_skew() -> Iterator[Finding]:
    """Codes of a second factor go by this server's clock; days, flags and the log by both."""
    if connection.vendor != "postgresql":
        return
    before = datetime.now(UTC)
    there: datetime = _ask("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    apart = abs((there - (before + (after - before) / 2)).total_seconds())
    said = f"The clocks of the site and of its database are {apart:.0f} s apart"
    to_do = "Switch time synchronisation on, on both machines: timedatectl set-ntp true."
    if apart > TOO_MUCH_SKEW:
        yield failed("time", f"{said}: one-time codes and dates go wrong.", to_do)
    elif apart > SKEW:
        yield warning("time", f"{said}.", to_do)
    else:
        yield ok("time", "The clocks of the site and of its database agree.")


def _ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _some(names: list[str]) -> str:
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")
