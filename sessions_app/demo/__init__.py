"""An invented clinic to try the product with. The same seed always gives the same clinic, up to today."""

from datetime import datetime

from django.apps import apps
from django.db import connection, transaction

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User
from clients.models import Client, Episode
from sessions_app.demo import client_form, courses, rows, staff
from sessions_app.demo.staff import PASSWORD, STAFF, Person
from sessions_app.flags.conclude import conclude_many

__all__ = ["PASSWORD", "STAFF", "Person", "holds_real_data", "is_seeded", "seed"]

DEFAULT_SEED = 104
# The mark is the very first line of the access log, which nobody can change afterwards: a database that
# had a person in it before can never become a demo.
MARK = LogEvent.DEMO_SEEDED
OUR_APPS = ("alliance", "clients", "sessions_app")


def is_seeded() -> bool:
    first = AuditEvent.objects.order_by("pk").first()
    return first is not None and first.action == MARK


def holds_real_data() -> bool:
    """Whether people or clients are here that the demo did not make."""
    if is_seeded():
        return False
    return AuditEvent.objects.exists() or User.objects.exists() or Client.objects.exists()


@transaction.atomic
def seed(now: datetime, seed: int = DEFAULT_SEED) -> None:
    """Fill an empty database: staff, clients, a year of sessions up to `now`, flags, conversations."""
    if is_seeded() or holds_real_data():
        raise ValueError("The demo goes into an empty database only.")
    # Dated before the lines of the invented year: `audit_verify` would find those dated back.
    AuditEvent.objects.create(at=staff.since(now), action=MARK.value, entity="site")
    team = staff.hire(now)
    chosen = client_form.choose(team, now)
    AuditEvent.objects.bulk_create([*staff.log_lines(team, now), *client_form.log_lines(chosen)])
    rows.write(courses.plan(now, seed, len(team.therapists)), team, now, seed)
    conclude_many(episodes=list(Episode.objects.values_list("pk", flat=True)), now=now)
    if connection.vendor == "postgresql":
        _tell_the_planner()


def _tell_the_planner() -> None:
    """PostgreSQL knows nothing of so many new rows: a course took a second to read, of a thousand ratings.

    Names its tables: ANALYZE alone also locks what all databases of a server share, until we commit.
    """
    ours = [app.get_models(include_auto_created=True) for app in map(apps.get_app_config, OUR_APPS)]
    tables = [connection.ops.quote_name(model._meta.db_table) for models in ours for model in models]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")
