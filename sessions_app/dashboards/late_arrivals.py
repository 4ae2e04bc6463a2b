"""Who is told that marks arrived after the end of a course, and of what.

Whoever may see the course: its therapist, and after a transfer or where the therapist left also the supervisor. The
client's new therapist learns that some came, and whom to ask.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.prepared import Prepared
from clients.earlier_courses import whom_to_ask
from clients.models import READABLE_FOR, Episode, own_courses
from clients.supervisions import supervisees_on
from sessions_app.courses.late_marks import LateMarks, LateMarksQuerySet
from sessions_app.courses.models import TherapySession


@dataclass(frozen=True)
class LateArrival:
    """One session. may_see: whether the reader sees what came; if not, `ask` says who does."""

    session: TherapySession
    may_see: bool
    ask: tuple[User, ...]

    @property
    def episode(self) -> Episode:
        return self.session.episode


def _unseen(reader: UUID, readable_from: date, today: date, now: datetime) -> LateMarksQuerySet:
    keys = own_courses(user=reader, readable_from=readable_from, today=today, now=now)
    own = Episode.objects.filter(pk__in=keys)
    concerned = Q(session__episode__in=own) | Q(
        session__episode__client__in=own.open().order_by().values("client")
    )
    return LateMarks.objects.unseen().filter(concerned)


_UNSEEN = Prepared(_unseen, reader=UUID, readable_from=date, today=date, now=datetime)


def of_therapist(reader: User) -> list[LateArrival]:
    """Of the reader's own courses that are over, and of the earlier courses of the reader's clients.

    One query where there are none, as on most days; else two more.
    """
    if not (reader.is_active and reader.is_therapist):
        return []
    today = timezone.localdate()
    since = today - READABLE_FOR
    waiting = _UNSEEN.rows(reader=reader.pk, readable_from=since, today=today, now=timezone.now())
    if not waiting:
        return []
    rows = list(_rows(LateMarks.objects.filter(pk__in=[row.pk for row in waiting])))
    own = Episode.objects.own(reader)
    seen = set(own.filter(pk__in={row.session.episode_id for row in rows}).values_list("pk", flat=True))
    return _arrivals(rows, seen)


def _unseen_by_supervisor(reader: UUID, today: date, now: datetime) -> LateMarksQuerySet:
    supervisees = supervisees_on(user=reader, today=today, now=now)
    return LateMarks.objects.unseen().whose_therapist_left(Episode.objects.filter(therapist__in=supervisees))


_UNSEEN_BY_SUPERVISOR = Prepared(_unseen_by_supervisor, reader=UUID, today=date, now=datetime)


def of_supervisor(reader: User) -> list[LateArrival]:
    """The late marks in courses of today's supervisees, where the therapist no longer treats the client or has left.

    One query where there are none, else two more.
    """
    if not (reader.is_active and reader.is_supervisor):
        return []
    waiting = _UNSEEN_BY_SUPERVISOR.rows(reader=reader.pk, today=timezone.localdate(), now=timezone.now())
    if not waiting:
        return []
    rows = list(_rows(LateMarks.objects.filter(pk__in=[row.pk for row in waiting])))
    return _arrivals(rows, {row.session.episode_id for row in rows})


def _rows(rows: LateMarksQuerySet) -> LateMarksQuerySet:
    return rows.select_related("session__episode__client", "session__episode__therapist")


def _arrivals(rows: Iterable[LateMarks], seen: set[int]) -> list[LateArrival]:
    """One for each session that may be seen; of a course that may not, one in all."""
    sessions = {
        (row.session_id if row.session.episode_id in seen else f"of {row.session.episode_id}"): row.session
        for row in rows
    }
    ask = whom_to_ask([session.episode for session in sessions.values()])
    return [
        LateArrival(session, session.episode_id in seen, ask[session.episode_id])
        for session in sessions.values()
    ]


@transaction.atomic
def note_seen(*, episode: Episode, by: User) -> int:
    """Somebody who may see the course has seen what came. Twice is once."""
    waiting = LateMarks.objects.filter(session__episode=episode, seen_at__isnull=True)
    if seen := waiting.update(seen_at=timezone.now(), seen_by=by):
        audit.record(LogEvent.LATE_MARKS_SEEN, episode, by=by, client=episode.client_code)
    return seen
