"""What became of the flags in the database, as querysets, for tests that ask about rows."""

from django.utils import timezone

from clients.models import Episode
from sessions_app.flags import answered_flags
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
    moment = now or timezone.now()
    flags = (
        flag
        for pk in Episode.objects.values_list("pk", flat=True)
        for flag in answered_flags.read(pk, moment)
    )
    return Flag.objects.filter(pk__in=[flag.pk for flag in flags if wanted(flag)])
