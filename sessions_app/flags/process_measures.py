"""How feedback is collected and used: counts by therapist, one query each, whatever the size."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from alliance.measurement.process import Share
from clients.models import Episode
from sessions_app.courses.models import OVERDUE_AFTER, Attendance, Rating, TherapySession
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag

MEASURED_OVER = timedelta(days=90)


def collected(episodes: QuerySet[Episode], now: datetime) -> tuple[dict[UUID, Share], dict[UUID, Share]]:
    """{therapist: rated of attended} and {therapist: missed of those that were to take place}; one query.

    Sessions count once their rating would be overdue: counting the prompt ones of today without those that
    still have time would flatter.
    """
    complete = Rating.objects.complete().filter(session=OuterRef("pk"))
    attended, missed = Q(attendance=Attendance.ATTENDED), Q(attendance=Attendance.DID_NOT_ATTEND)
    rows = (
        TherapySession.objects.filter(
            episode__in=episodes, held_at__gt=now - MEASURED_OVER, ends_at__lte=now - OVERDUE_AFTER
        )
        .annotate(is_rated=Exists(complete))
        .order_by()
        .values_list("episode__therapist")
        .annotate(
            rated=Count("pk", filter=attended & Q(is_rated=True)),
            attended=Count("pk", filter=attended),
            missed=Count("pk", filter=missed),
        )
    )
    counts = list(rows)
    return (
        {person: Share(rated, came) for person, rated, came, _ in counts},
        {person: Share(away, came + away) for person, _, came, away in counts},
    )


def discussed(episodes: QuerySet[Episode], now: datetime) -> tuple[dict[UUID, Share], dict[UUID, Share]]:
    """{therapist: flags talked about by the next session, of those for which it is over}; one query.

    And {therapist: those of them that were not, and of which somebody decided that no talk is needed}. They
    stay among the flags that are counted: a decision not to talk must not make the first share look better.

    The note has the same day as a rating has: until 24 hours after that session. A flag raised later (from
    an import, or under new settings) could not have been talked about by then and does not count.
    """
    following = TherapySession.objects.attended().filter(
        episode=OuterRef("session__episode"), number__gt=OuterRef("session__number")
    )
    talks = Discussion.objects.standing().filter(flags=OuterRef("pk"))
    rows = (
        Flag.objects.standing()
        .filter(on_work_list=True, session__episode__in=episodes, session__held_at__gt=now - MEASURED_OVER)
        .annotate(
            next_ended_at=Subquery(following.order_by("number").values("ends_at")[:1]),
            talked_at=Subquery(talks.order_by("discussed_at").values("discussed_at")[:1]),
            not_needed=Exists(Deferral.objects.not_needed().filter(flags=OuterRef("pk"))),
        )
        .filter(next_ended_at__lte=now - OVERDUE_AFTER)
        .values_list("session__episode__therapist", "raised_at", "next_ended_at", "talked_at", "not_needed")
    )
    in_time: dict[UUID, list[bool]] = defaultdict(list)
    settled: dict[UUID, list[bool]] = defaultdict(list)
    for person, raised_at, next_ended_at, talked_at, not_needed in rows:
        deadline = next_ended_at + OVERDUE_AFTER
        if raised_at <= deadline:
            in_time[person].append(talked_at is not None and talked_at <= deadline)
            settled[person].append(not_needed and talked_at is None)
    return _shares(in_time), _shares(settled)


def _shares(found: dict[UUID, list[bool]]) -> dict[UUID, Share]:
    return {person: Share(sum(each), len(each)) for person, each in found.items()}
