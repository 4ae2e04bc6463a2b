"""The last sessions and the last agreement of many episodes at once, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from clients.models import Episode
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.flags.models import Discussion

SPARKLINE_LENGTH = 12


def last_sessions(
    episodes: Iterable[Episode], length: int = SPARKLINE_LENGTH
) -> dict[int, list[TherapySession]]:
    """{episode: its last attended sessions, oldest first}, each with its `standing_total` and `standing_scale`.

    One query.
    """
    latest_first = Window(RowNumber(), partition_by=F("episode"), order_by=F("number").desc())
    complete = Rating.objects.complete().filter(session=OuterRef("pk"))
    rows = (
        TherapySession.objects.filter(episode__in=episodes, attendance=Attendance.ATTENDED)
        .annotate(
            back=latest_first,
            standing_total=Subquery(complete.values("total")[:1]),
            standing_scale=Subquery(complete.values("instrument")[:1]),
        )
        .filter(back__lte=length)
        .order_by("episode", "number")
    )
    found: dict[int, list[TherapySession]] = defaultdict(list)
    for row in rows:
        found[row.episode_id].append(row)
    return found


def totals_of(sessions: Iterable[TherapySession]) -> list[int | None]:
    """Totals in tenths, oldest first; None where there is no complete rating."""
    return [session.standing_total for session in sessions]


def scale_of(sessions: Sequence[TherapySession]) -> Instrument:
    """The instrument of the last complete rating; our own where there is none."""
    scales = [session.standing_scale for session in sessions if session.standing_scale]
    return instruments.get(scales[-1] if scales else instruments.SESSION_RATING)


def last_discussions(episodes: Iterable[Episode]) -> dict[int, Discussion]:
    """{episode: its latest standing discussion}; one query."""
    latest_first = Window(RowNumber(), partition_by=F("session__episode"), order_by=F("discussed_at").desc())
    rows = (
        Discussion.objects.standing()
        .filter(session__episode__in=episodes)
        .select_related("session")
        .annotate(back=latest_first)
        .filter(back=1)
    )
    return {row.session.episode_id: row for row in rows}


def next_sessions(episodes: Iterable[Episode], now: datetime) -> dict[int, TherapySession]:
    """{episode: the session that is on now and not rated yet, else the next planned one}; one query."""
    to_come = TherapySession.objects.filter(
        episode__in=episodes,
        ends_at__gt=now,
        attendance__in=[Attendance.PLANNED, Attendance.ATTENDED],
        ratings__isnull=True,
    )
    found: dict[int, TherapySession] = {}
    for session in to_come.order_by("held_at"):
        found.setdefault(session.episode_id, session)
    return found
