"""One episode's ratings in the form the rules read, and the flags that follow from them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from alliance.measurement import flag_rules, instruments
from alliance.measurement.flag_rules import Finding, Parameters
from alliance.measurement.instruments import Instrument
from alliance.measurement.trends import CourseSession
from clients.models import Episode
from sessions_app.models import OVERDUE_AFTER, Attendance, Rating, TherapySession

# Which version of the clinic's settings raised a flag. Until a clinic can change its settings there
# is one: the instrument's own defaults.
SETTINGS_VERSION = "defaults-1"


@dataclass(frozen=True)
class RatedSession:
    """One session of a course with the rating that counts, if there is one, and what the rules say of it."""

    session: TherapySession
    rating: Rating | None
    findings: tuple[Finding, ...]


def parameters_of(instrument: Instrument) -> Parameters:
    return instrument.parameters


def read(
    episode: Episode, now: datetime, instrument_id: str = instruments.SESSION_RATING
) -> list[RatedSession]:
    """The attended sessions of `episode` in the order of their numbers, two queries.

    Ratings of another version of the instrument count as none: versions are never mixed in one course.
    """
    instrument = instruments.get(instrument_id)
    rows = _attended(episode, instrument)
    # A rating proves that the session took place, whatever the row says.
    pairs = [(row, row.standing_ratings[0] if row.standing_ratings else None) for row in rows]
    pairs = [(row, rating) for row, rating in pairs if rating or row.attendance == Attendance.ATTENDED]
    course = [as_course_session(row, rating, now) for row, rating in pairs]
    found = flag_rules.findings(course, parameters_of(instrument))
    return [RatedSession(row, rating, findings) for (row, rating), findings in zip(pairs, found, strict=True)]


def as_course_session(session: TherapySession, rating: Rating | None, now: datetime) -> CourseSession:
    return CourseSession(
        number=session.number,
        answers=rating.marks if rating else None,
        total=rating.total if rating else None,
        attended=True,
        overdue=session.ends_at + OVERDUE_AFTER <= now,
    )


def _attended(episode: Episode, instrument: Instrument) -> list[TherapySession]:
    standing = Rating.objects.standing().filter(
        instrument=instrument.id, instrument_version=instrument.version
    )
    return list(
        episode.sessions.exclude(
            attendance__in=[Attendance.CANCELLED, Attendance.DID_NOT_ATTEND], ratings__isnull=True
        )
        .order_by("number")
        .prefetch_related(Prefetch("ratings", queryset=standing, to_attr="standing_ratings"))
    )
