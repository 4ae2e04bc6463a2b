"""What the rules say of many episodes at once: a fixed number of queries, plain values, no model objects.

`course.read` is its twin for pages, which need the rows themselves; a test holds the two together.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from alliance.measurement import flag_rules, instruments
from alliance.measurement.flag_rules import Finding
from alliance.measurement.instruments import Instrument
from alliance.measurement.sentences import EvidenceValue
from alliance.measurement.trends import CourseSession
from sessions_app.courses.models import (
    OVERDUE_AFTER,
    SESSION_SCALES,
    Attendance,
    Rating,
    TherapySession,
    series_of,
)
from sessions_app.flags import course
from sessions_app.flags.models import Flag
from sessions_app.instruments.rule_settings import RuleSettings


@dataclass(frozen=True, slots=True)
class Held:
    """One attended session as the rules read it, with the row numbers of what it rests on."""

    pk: int
    held_at: datetime
    rating: int | None
    instrument: Instrument  # our own where nothing was filled in
    language: str
    session: CourseSession


class Key(NamedTuple):
    """What makes a flag one and the same: `one_flag_a_rule_and_session`."""

    session: int
    instrument: str
    rule: str


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One flag as it should stand."""

    key: Key
    rating: int | None
    is_new: bool
    on_work_list: bool
    evidence: dict[str, EvidenceValue]


@dataclass(frozen=True, slots=True)
class Courses:
    """held: {episode: its attended sessions in the order of their numbers}; episode_of: of every session."""

    held: dict[int, list[Held]]
    episode_of: dict[int, int]


def courses(episodes: Collection[int], now: datetime) -> Courses:
    """The courses of these episodes, by row number; two queries.

    A rating proves that the session took place, whatever the row says.
    """
    ours = instruments.get(instruments.SESSION_RATING)
    rows = TherapySession.objects.filter(episode__in=episodes).order_by("episode", "number")
    sessions = list(rows.values_list("pk", "episode_id", "number", "held_at", "ends_at", "attendance"))
    # By the sessions' own numbers: by episode, PostgreSQL read all flags of the clinic for every batch.
    episode_of = {pk: episode for pk, episode, *_ in sessions}
    ratings = _ratings(episode_of.keys())
    held: dict[int, list[Held]] = defaultdict(list)
    for pk, episode, number, held_at, ends_at, attendance in sessions:
        overdue = ends_at + OVERDUE_AFTER <= now
        if rating := ratings.get(pk):
            marks = CourseSession(number, rating.marks, rating.total, overdue=overdue, series=rating.series)
            held[episode].append(Held(pk, held_at, rating.pk, rating.instrument, rating.language, marks))
        elif attendance == Attendance.ATTENDED:
            marks = CourseSession(number, None, None, overdue=overdue)
            held[episode].append(Held(pk, held_at, None, ours, "", marks))
    return Courses(held, episode_of)


class _Marks(NamedTuple):
    pk: int
    instrument: Instrument
    language: str
    marks: dict[str, int | None]
    total: int | None
    series: str


def _ratings(sessions: Collection[int]) -> dict[int, _Marks]:
    """{session: the rating that counts}."""
    rows = Rating.objects.standing().filter(session__in=sessions).order_by("-received_at")
    found = {}
    for session, pk, name, version, edition, answers, total, language in rows.values_list(
        "session_id",
        "pk",
        "instrument",
        "instrument_version",
        "wording__edition",
        "answers",
        "total",
        "language",
    ):
        instrument = instruments.get(name, version)
        marks = {item.id: answers.get(item.id) for item in instrument.items}
        found[session] = _Marks(pk, instrument, language, marks, total, series_of(name, version, edition))
    return found


def judged(held: list[Held], rules: RuleSettings) -> list[tuple[Finding, ...]]:
    """What the rules say of each session of one course."""
    own = [rules.parameters(one.instrument, one.language) for one in held]
    ours = rules.parameters(instruments.get(instruments.SESSION_RATING))
    return flag_rules.findings([one.session for one in held], ours, own)


def conclude(held: list[Held], rules: RuleSettings) -> Iterator[Conclusion]:
    """The flags that one course should have."""
    for one, found in zip(held, judged(held, rules), strict=True):
        for finding in found:
            parameters = rules.parameters(one.instrument, one.language)
            yield Conclusion(
                Key(one.pk, course.instrument_of_flag(one.instrument, finding.rule), finding.rule),
                one.rating if finding.rule != "G" else None,
                finding.is_new,
                finding.on_work_list,
                course.evidence_of(finding, one.instrument, parameters),
            )


@dataclass(frozen=True, slots=True)
class Stored:
    """One flag as it is stored."""

    pk: int
    stands: bool
    says: Conclusion


def stored(sessions: Collection[int]) -> dict[Key, Stored]:
    """The flags of alliance ratings at these sessions, withdrawn ones too; one query."""
    rows = Flag.objects.filter(session__in=sessions, instrument__in=SESSION_SCALES).order_by()
    found = {}
    for (
        session,
        instrument,
        rule,
        rating,
        is_new,
        on_work_list,
        evidence,
        pk,
        withdrawn_at,
    ) in rows.values_list(
        *("session_id", "instrument", "rule", "rating_id", "is_new", "on_work_list", "evidence"),
        *("pk", "withdrawn_at"),
    ):
        key = Key(session, instrument, rule)
        says = Conclusion(key, rating, is_new, on_work_list, evidence)
        found[key] = Stored(pk, withdrawn_at is None, says)
    return found
