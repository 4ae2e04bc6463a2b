"""An invented clinic to try the product with. The same seed always gives the same clinic, up to today."""

from datetime import datetime

from django.db import transaction

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User
from clients.models import Client, Episode
from sessions_app.demo import client_form, courses, more_forms, rows, staff, statistics, supervision
from sessions_app.demo.staff import PASSWORD, STAFF, Person
from sessions_app.flags.conclude import conclude_many

__all__ = ["PASSWORD", "STAFF", "Person", "holds_real_data", "is_seeded", "seed"]

DEFAULT_SEED = 104
# The mark is the very first line of the access log, which nobody can change afterwards: a database that
# had a person in it before can never become a demo.
MARK = LogEvent.DEMO_SEEDED


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
    beside = supervision.write(now, stays_low=courses.LOW_LABEL, story=courses.STORY_LABEL)
    rows.log(now, [*beside, *more_forms.write(team, now)])
    conclude_many(episodes=list(Episode.objects.values_list("pk", flat=True)), now=now)
    statistics.renew()
