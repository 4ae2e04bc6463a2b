"""An invented clinic to try the product with. The same seed always gives the same clinic, up to today."""

from datetime import datetime

from django.db import connection, transaction

from alliance.models import AuditEvent, User
from clients.models import Client
from sessions_app.demo import courses, rows, staff
from sessions_app.demo.staff import PASSWORD, STAFF, Person

__all__ = ["PASSWORD", "STAFF", "Person", "holds_real_data", "is_seeded", "seed"]

DEFAULT_SEED = 104
# The mark is the very first line of the access log, which nobody can change afterwards: a database that
# had a person in it before can never become a demo.
MARK = "demo seeded"


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
    AuditEvent.objects.create(at=now, action=MARK, entity="site")
    team = staff.hire(now)
    rows.write(courses.plan(now, seed, len(team.therapists)), team, now, seed)
    if connection.vendor == "postgresql":
        # Its planner knows nothing of so many new rows: a course took a second to read, of a thousand ratings.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
