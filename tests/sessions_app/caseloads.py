"""What the tests of the supervisor's page share: a fixed day, a fall, a talk, a reading of the page."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from sessions_app.dashboards import caseload
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion
from tests import cast
from tests.sessions_app import answered

# Noon where the clinic is, in UTC, as every page reads it: days back from a local noon may be an hour less, or more.
NOW = datetime(2026, 3, 18, 12, tzinfo=ZoneInfo(settings.TIME_ZONE)).astimezone(UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LENGTH = timedelta(minutes=50)


def read(clinic, **options):
    return caseload.read(clinic.sina, NOW, **options)


def fallen(episode, *, ago=12 * DAY, first=380):
    """A course whose last rating fell by five points and below the cutoff: C and a new A."""
    return cast.rated_course(episode, [first, first, first - 50], last_ago=ago)


def talk(session, *, by, agreed="Less homework", at=None, rules="ABCDEFJ"):
    flags = answered.still_open().filter(session=session, rule__in=list(rules))
    discussion = discussion_actions.discuss(flags=flags, said="It was too much.", agreed=agreed, by=by)
    Discussion.objects.filter(pk=discussion.pk).update(discussed_at=at or NOW)
    return discussion


def labels(rows):
    return [row.label for row in rows]
