"""One episode's ratings in the form the rules read, and the flags that follow from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from alliance.measurement import flag_rules, instruments
from alliance.measurement.flag_rules import Finding, Parameters
from alliance.measurement.instruments import Instrument
from alliance.measurement.overdue import overdue_from
from alliance.measurement.scoring import at_most
from alliance.measurement.sentences import EvidenceValue
from alliance.measurement.standing import SAME_FALL
from alliance.measurement.trends import CourseSession
from clients.models import Episode
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.instruments import rule_settings
from sessions_app.instruments.rule_settings import RuleSettings

# The parameters that tell one fall from another. A flag keeps those that raised it where they are not as shipped
# (`evidence_of`); the shipped ones are the same on every alliance scale.
LIMITS = ("badge_fall", "sudden_fall")
SHIPPED = instruments.get(instruments.SESSION_RATING).parameters


@dataclass(frozen=True)
class RatedSession:
    """One session of a course with the rating that counts, if there is one, and what the rules say of it.

    changes_form: its rating is of another series than the one before it (`Rating.series`).
    parameters: by which it was judged, those of its instrument and language.
    """

    session: TherapySession
    rating: Rating | None
    findings: tuple[Finding, ...]
    parameters: Parameters
    changes_form: bool = False

    @property
    def instrument(self) -> Instrument:
        """What was filled in; our own where nothing was."""
        return instrument_of(self.rating)


def instrument_of(rating: Rating | None) -> Instrument:
    if rating is None:
        return instruments.get(instruments.SESSION_RATING)
    return instruments.get(rating.instrument, rating.instrument_version)


def parameters_of(rating: Rating | None, rules: RuleSettings) -> Parameters:
    """By which it is judged; where nothing was filled in, those of our own form."""
    return rules.parameters(instrument_of(rating), rating.language if rating else "")


def read(episode: Episode, now: datetime, rules: RuleSettings | None = None) -> list[RatedSession]:
    """The attended sessions of `episode` in the order of their numbers, two queries.

    rules: the clinic's, or others; without them a third query asks for those in force.
    """
    rows = _attended(episode)
    ratings = {row.pk: row.standing_ratings[0] for row in rows if row.standing_ratings}
    return of_rows(rows, ratings, now, rules or rule_settings.in_force())


def of_rows(
    sessions: Iterable[TherapySession], ratings: Mapping[int, Rating], now: datetime, rules: RuleSettings
) -> list[RatedSession]:
    """The course of these sessions, in the order of their numbers; ratings: {session: the one that counts}.

    It holds every alliance rating, whatever form was used; the rules compare those of one series only.
    """
    # A rating proves that the session took place, whatever the row says.
    pairs = [
        (row, ratings.get(row.pk))
        for row in sessions
        if row.pk in ratings or row.attendance == Attendance.ATTENDED
    ]
    course = [as_course_session(row, rating, now) for row, rating in pairs]
    own = [parameters_of(rating, rules) for _, rating in pairs]
    found = flag_rules.findings(course, parameters_of(None, rules), own)
    changes = changes_of_form([rating for _, rating in pairs])
    return [
        RatedSession(row, rating, findings, parameters, changes_form=change)
        for (row, rating), findings, parameters, change in zip(pairs, found, own, changes, strict=True)
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


def instrument_of_flag(instrument: Instrument, rule: str) -> str:
    """A gap is nobody's: rule G keeps our own name whatever is used around it."""
    return instruments.SESSION_RATING if rule == "G" else instrument.id


def evidence_of(finding: Finding, instrument: Instrument, parameters: Parameters) -> dict[str, EvidenceValue]:
    """What a flag keeps: the finding's evidence, and what its words and the work list need of its settings."""
    if finding.rule not in SAME_FALL:
        return dict(finding.evidence)
    chosen = {name: getattr(parameters, name) for name in LIMITS}
    changed = {name: value for name, value in chosen.items() if value != getattr(instrument.parameters, name)}
    return {**finding.evidence, **changed}


def limits_of(evidence: Mapping[str, Any]) -> tuple[int, int]:
    """`badge_fall` and `sudden_fall`, in tenths, of the rules that raised a flag with this evidence."""
    badge_fall, sudden_fall = (evidence.get(name, getattr(SHIPPED, name)) for name in LIMITS)
    return badge_fall, sudden_fall


def as_course_session(session: TherapySession, rating: Rating | None, now: datetime) -> CourseSession:
    return CourseSession(
        number=session.number,
        answers=rating.marks if rating else None,
        total=rating.total if rating else None,
        attended=True,
        overdue=overdue_from(session.ends_at) <= now,
        series=rating.series if rating else "",
        at_most=at_most(instrument_of(rating), rating.marks) if rating else None,
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
