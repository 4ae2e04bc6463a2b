"""The sessions of the last days and those to come, each with where its rating stands: for the work list's table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from alliance.models import User
from alliance.prepared import Prepared
from clients.models import Episode
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.courses.rating_state import RatingState, awaited, begun_early, state_of, with_waits
from sessions_app.dashboards.course_standings import CourseStanding
from sessions_app.flags.facts import beginning_of
from sessions_app.plans import plan_words, which_forms
from sessions_app.plans.which_forms import FormsOfSession

# Who has not said by then whether a session took place is asked on the client's page alone.
SHOWN_FOR = timedelta(days=14)
HAS_MARKS = frozenset({RatingState.RATED, RatingState.PARTLY, RatingState.NOTHING_MARKED})
NOTHING_TO_DO = frozenset(
    {
        RatingState.RATED,
        RatingState.PARTLY,  # it came; what the client left out does not come any more
        RatingState.NOTHING_MARKED,
        RatingState.CANCELLED,
        RatingState.DID_NOT_ATTEND,
        RatingState.DECLINED,
        RatingState.NOT_RATED,
    }
)


NOTHING_PLANNED = FormsOfSession()


@dataclass(frozen=True)
class SessionLine:
    """One session of today, or one of the last days that is not settled, and where its rating stands."""

    session: TherapySession
    episode: Episode
    state: RatingState
    can_be_handed_over: bool
    forms: FormsOfSession = NOTHING_PLANNED  # the questionnaires it asks for

    @property
    def asks_for(self) -> str:
        """Which forms are due at it, in words; empty where none is."""
        return plan_words.asked_for(self.forms, rating=self.state not in HAS_MARKS)

    @property
    def gives_alone(self) -> bool:
        return self.forms.can_be_given_alone(is_rated=self.state in HAS_MARKS)

    @property
    def came_back_unfinished(self) -> bool:
        """Handed in with a line missing, or with none marked: the client may still be there to be asked."""
        return self.state in {RatingState.PARTLY, RatingState.NOTHING_MARKED}


def _written_lines(therapist: UUID, since: datetime, now: datetime) -> QuerySet[TherapySession]:
    own = TherapySession.objects.filter(
        episode__therapist=therapist, episode__closed_on__isnull=True, held_at__gte=since
    )
    return with_waits(own, now).order_by("held_at", "number")


_LINES = Prepared(_written_lines, therapist=UUID, since=datetime, now=datetime)


def read(
    therapist: User, courses: dict[int, CourseStanding], covered: Sequence[int], now: datetime
) -> list[SessionLine]:
    """The sessions of the last days and all to come, each with where its rating stands.

    One query; one more for the episodes that are covered, where any are.
    """
    lines = []
    since = now - SHOWN_FOR
    sessions = _LINES.rows(therapist=therapist.pk, since=since, now=now)
    if covered:
        theirs = with_waits(TherapySession.objects.filter(episode__in=covered, held_at__gte=since), now)
        sessions = sorted([*sessions, *theirs], key=lambda session: (session.held_at, session.number))
    early = begun_early(sessions, now)
    for session in sessions:
        course = courses.get(session.episode_id)
        if course is None:  # opened since the courses were read
            continue
        state = state_of(
            session,
            marks=course.marks_of(session.number),
            awaits=awaited(session),
            is_declined=session.is_declined,
            now=now,
            given=early.get(session.pk),
        )
        lines.append(SessionLine(session, course.episode, state, state.can_be_handed_over(session, now)))
    return lines


def next_sessions(visits: list[SessionLine], now: datetime) -> dict[int, TherapySession]:
    """{episode: the session that is on now and not rated yet, else the next planned one}."""
    found: dict[int, TherapySession] = {}
    for visit in visits:
        comes = visit.session.attendance in (Attendance.PLANNED, Attendance.ATTENDED)
        if comes and visit.session.ends_at > now and visit.state not in HAS_MARKS:
            found.setdefault(visit.session.episode_id, visit.session)
    return found


def of_today_and_waiting(
    visits: list[SessionLine], now: datetime
) -> tuple[list[SessionLine], list[SessionLine]]:
    """Those of today, and those before that wait for something."""
    start = beginning_of(timezone.localdate(now))
    until_tonight = [visit for visit in visits if visit.session.held_at < start + timedelta(days=1)]
    return (
        [visit for visit in until_tonight if visit.session.ends_at >= start],
        [
            visit
            for visit in until_tonight
            if visit.session.ends_at < start and visit.state not in NOTHING_TO_DO
        ],
    )


def with_forms(lines: list[SessionLine], now: datetime) -> list[SessionLine]:
    """The same with the questionnaires that each asks for; one query where the clinic plans none."""
    for line in lines:
        line.session.episode = line.episode  # read already
    due = which_forms.due([line.session for line in lines], now)
    return (
        [replace(line, forms=due.get(line.session.pk, NOTHING_PLANNED)) for line in lines] if due else lines
    )
