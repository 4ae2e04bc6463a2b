"""The flags that the rules expect of a course, from its facts: plain values, no model objects, no queries.

`course.read` does the same for the client's page, which needs the rows themselves; a test compares the two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from alliance.measurement import flag_rules, instruments
from alliance.measurement.flag_rules import Finding
from alliance.measurement.instruments import Instrument
from alliance.measurement.overdue import overdue_from
from alliance.measurement.scoring import at_most
from alliance.measurement.sentences import EvidenceValue
from alliance.measurement.standing import FlagKey
from alliance.measurement.trends import CourseSession
from sessions_app.courses.models import Attendance
from sessions_app.flags import course
from sessions_app.flags.facts import CourseFacts
from sessions_app.instruments.rule_settings import RuleSettings


@dataclass(frozen=True, slots=True)
class HeldSession:
    """One attended session as the rules read it, with the row numbers of what it rests on."""

    pk: int
    held_at: datetime
    rating: int | None
    instrument: Instrument  # our own where nothing was filled in
    language: str
    session: CourseSession


@dataclass(frozen=True, slots=True)
class ExpectedFlag:
    """One flag as it should stand."""

    key: FlagKey
    number: int
    rating: int | None
    is_new: bool
    on_work_list: bool
    evidence: dict[str, EvidenceValue]


def held_sessions(facts: CourseFacts, now: datetime) -> list[HeldSession]:
    """The attended sessions of a course. A rating proves that the session took place, whatever the row says."""
    ours = instruments.get(instruments.SESSION_RATING)
    held = []
    for session in facts.sessions:
        overdue = overdue_from(session.ends_at) <= now
        if rating := facts.ratings.get(session.pk):
            marks = CourseSession(
                session.number,
                rating.marks,
                rating.total,
                overdue=overdue,
                series=rating.series,
                at_most=at_most(rating.instrument, rating.marks),
            )
            held.append(
                HeldSession(session.pk, session.held_at, rating.pk, rating.instrument, rating.language, marks)
            )
        elif session.attendance == Attendance.ATTENDED:
            marks = CourseSession(session.number, None, None, overdue=overdue)
            held.append(HeldSession(session.pk, session.held_at, None, ours, "", marks))
    return held


def findings_of(held: list[HeldSession], rules: RuleSettings) -> list[tuple[Finding, ...]]:
    """What the rules say of each session of one course."""
    own = [rules.parameters(session.instrument, session.language) for session in held]
    ours = rules.parameters(instruments.get(instruments.SESSION_RATING))
    return flag_rules.findings([session.session for session in held], ours, own)


def expected_flags(
    held: list[HeldSession], rules: RuleSettings, findings: Sequence[tuple[Finding, ...]] | None = None
) -> Iterator[ExpectedFlag]:
    """The flags that one course should have. findings: what the rules say of it, where that is known already."""
    for session, found in zip(held, findings or findings_of(held, rules), strict=True):
        for finding in found:
            parameters = rules.parameters(session.instrument, session.language)
            yield ExpectedFlag(
                FlagKey(
                    session.pk, course.instrument_of_flag(session.instrument, finding.rule), finding.rule
                ),
                session.session.number,
                session.rating if finding.rule != "G" else None,
                finding.is_new,
                finding.on_work_list,
                course.evidence_of(finding, session.instrument, parameters),
            )
