"""How feedback is collected and used: shares by therapist, summed from the counts of each day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from alliance.measurement.process import DayCounts, Share
from alliance.models import User
from sessions_app.flags.process_days import COUNTED, ProcessDay

MEASURED_OVER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Measures:
    """rated: of attended sessions; missed: of those that were to take place; back: of low points.

    talked: sessions with a reason to talk that were talked about by the next one, of those for which that is over;
    not_needed: of the same sessions, decided to need no talk. seen: sessions before which the client was looked at
    (`looks_before`).
    """

    rated: Share
    missed: Share
    talked: Share
    not_needed: Share
    back: Share
    seen: Share

    @classmethod
    def of(cls, counts: DayCounts) -> "Measures":
        return cls(
            rated=Share(counts.rated, counts.attended),
            missed=Share(counts.missed, counts.attended + counts.missed),
            talked=Share(counts.talked, counts.to_talk),
            not_needed=Share(counts.not_needed, counts.to_talk),
            back=Share(counts.back, counts.low_points),
            seen=Share(counts.seen, counts.to_see),
        )


def read(people: Iterable[User], now: datetime) -> dict[UUID, Measures]:
    """{therapist: the measures of the last 90 days that are over}; one query.

    A session counts from the day after its rating would be overdue: those of today are still to come.
    """
    chosen = [person.pk for person in people]
    today = timezone.localdate(now)
    summed = counts_between(chosen, today - MEASURED_OVER, today - timedelta(days=1))
    return {person: Measures.of(summed.get(person, DayCounts())) for person in chosen}


def counts_between(people: Iterable[UUID], first: date, last: date) -> dict[UUID, DayCounts]:
    """{therapist: counts of these days, both included}; one query."""
    rows = ProcessDay.objects.filter(therapist__in=list(people), day__gte=first, day__lte=last)
    sums = rows.values_list("therapist").annotate(*(Sum(name) for name in COUNTED)).order_by()
    return {person: DayCounts(*counted) for person, *counted in sums}
