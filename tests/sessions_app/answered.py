"""What became of the flags in the database, as querysets, for tests that ask about rows."""

from django.utils import timezone

from alliance.measurement.standing import FlagKey
from clients.models import Episode
from sessions_app.flags import answered_flags, facts
from sessions_app.flags.models import Flag


def calling(now=None):
    return _those_that(lambda flag: flag.calls, now)


def still_open(now=None):
    return _those_that(lambda flag: flag.is_open, now)


def undiscussed(now=None):
    return _those_that(lambda flag: not flag.is_settled, now)


def discussed(now=None):
    return _those_that(lambda flag: flag.is_discussed, now)


def _those_that(wanted, now):
    """All courses in as many queries as one."""
    moment = now or timezone.now()
    rows = {
        FlagKey(row.session_id, row.instrument, row.rule): row
        for row in Flag.objects.standing().select_related("session")
    }
    courses = facts.read(list(Episode.objects.values_list("pk", flat=True)))
    flags = (flag for one in courses.values() for flag in answered_flags.answered(rows, one, moment))
    return Flag.objects.filter(pk__in=[flag.pk for flag in flags if wanted(flag)])
