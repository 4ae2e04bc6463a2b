"""One episode's ratings in the form the rules read, and the flags that follow from them."""

from collections.abc import Sequence
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
    """One session of a course with the rating that counts, if there is one, and what the rules say of it.

    changes_form: its rating is of another series than the one before it (`Rating.series`).
    """

    session: TherapySession
    rating: Rating | None
    findings: tuple[Finding, ...]
    changes_form: bool = False

    @property
    def instrument(self) -> Instrument:
        """What was filled in; our own where nothing was."""
        return instrument_of(self.rating)


def parameters_of(instrument: Instrument) -> Parameters:
    return instrument.parameters


def instrument_of(rating: Rating | None) -> Instrument:
    if rating is None:
        return instruments.get(instruments.SESSION_RATING)
    return instruments.get(rating.instrument, rating.instrument_version)


def read(episode: Episode, now: datetime) -> list[RatedSession]:
    """The attended sessions of `episode` in the order of their numbers, two queries.

    It holds every alliance rating, whatever form was used; the rules compare those of one series only.
    """
    rows = _attended(episode)
    # A rating proves that the session took place, whatever the row says.
    pairs = [(row, row.standing_ratings[0] if row.standing_ratings else None) for row in rows]
    pairs = [(row, rating) for row, rating in pairs if rating or row.attendance == Attendance.ATTENDED]
    course = [as_course_session(row, rating, now) for row, rating in pairs]
    own = [parameters_of(instrument_of(rating)) for _, rating in pairs]
    found = flag_rules.findings(course, parameters_of(instrument_of(None)), own)
    changes = changes_of_form([rating for _, rating in pairs])
    return [
        RatedSession(row, rating, findings, changes_form=change)
        for (row, rating), findings, change in zip(pairs, found, changes, strict=True)
    ]


def changes_of_form(ratings: Sequence[Rating | None]) -> list[bool]:
    """For each rating whether the one before it was of another series; a session without any mark changes nothing."""
    before = None
    changes = []
    for rating in ratings:
        if rating is not None and rating.is_blank:
            changes.append(False)
            continue
        changes.append(rating is not None and before not in (None, rating.series))
        before = rating.series if rating else before
    return changes


def as_course_session(session: TherapySession, rating: Rating | None, now: datetime) -> CourseSession:
    return CourseSession(
        number=session.number,
        answers=rating.marks if rating else None,
        total=rating.total if rating else None,
        attended=True,
        overdue=session.ends_at + OVERDUE_AFTER <= now,
        series=rating.series if rating else "",
    )


def _attended(episode: Episode) -> list[TherapySession]:
    standing = Rating.objects.standing().with_edition()
    return list(
        episode.sessions.exclude(
            attendance__in=[Attendance.CANCELLED, Attendance.DID_NOT_ATTEND], ratings__isnull=True
        )
        .order_by("number")
        .prefetch_related(Prefetch("ratings", queryset=standing, to_attr="standing_ratings"))
    )
