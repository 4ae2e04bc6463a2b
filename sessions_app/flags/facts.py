"""The facts of many courses at once, as plain values: what the rules and the standing are concluded from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.sentences import EvidenceValue
from alliance.measurement.standing import (
    OVERDUE_AFTER,
    CourseEvents,
    Deferral,
    FlagKey,
    RaisedFlag,
    Talk,
    Visit,
)
from sessions_app.courses.models import SESSION_SCALES, Attendance, Rating, TherapySession, series_of
from sessions_app.courses.rating_state import RatingState, marks_state
from sessions_app.flags.course import limits_of
from sessions_app.flags.deferrals import Deferral as DeferralRow
from sessions_app.flags.models import Discussion, Flag

COMES = frozenset({Attendance.PLANNED, Attendance.ATTENDED})


class SessionFact(NamedTuple):
    """One therapy session, by row number."""

    pk: int
    number: int
    held_at: datetime
    ends_at: datetime
    attendance: str


class RatingFact(NamedTuple):
    """The rating of a session that counts. total: tenths, None where a line is missing."""

    pk: int
    instrument: Instrument
    language: str
    marks: dict[str, int | None]
    total: int | None
    series: str
    received_at: datetime
    corrects: bool
    state: RatingState  # what it says of its session


class FlagFact(NamedTuple):
    """One flag as it is stored, withdrawn or not."""

    pk: int
    key: FlagKey
    rating: int | None
    is_new: bool
    on_work_list: bool
    evidence: dict[str, EvidenceValue]
    raised_at: datetime
    stands: bool


class TalkFact(NamedTuple):
    """One conversation that stands."""

    pk: int
    session: int
    at: datetime
    agreed: bool
    about: set[FlagKey]


class DeferralFact(NamedTuple):
    """One decision not to talk that stands."""

    pk: int
    session: int
    at: datetime
    is_later: bool
    about: set[FlagKey]


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """The facts of one episode. sessions: in the order of their numbers; ratings: by session."""

    sessions: list[SessionFact]
    ratings: Mapping[int, RatingFact]
    flags: dict[FlagKey, FlagFact]
    talks: list[TalkFact]
    deferrals: list[DeferralFact]

    def events(self, raised: Iterable[RaisedFlag] | None = None) -> CourseEvents:
        """As `alliance.measurement.standing` reads them; raised: flags other than those that are stored."""
        number = {session.pk: session.number for session in self.sessions}
        flags = list(self.raised(self.flags.values()) if raised is None else raised)
        return CourseEvents(
            visits=[self._visit(session) for session in self.sessions],
            flags=sorted(flags, key=lambda flag: (flag.number, flag.rule)),
            talks=[Talk(number[talk.session], talk.at, frozenset(talk.about)) for talk in self.talks],
            deferrals=[
                Deferral(fact.is_later, fact.at, timezone.localdate(fact.at), frozenset(fact.about))
                for fact in self.deferrals
            ],
        )

    def raised(self, flags: Iterable[FlagFact]) -> Iterator[RaisedFlag]:
        """Those of `flags` that stand."""
        number = {session.pk: session.number for session in self.sessions}
        for flag in flags:
            if flag.stands:
                yield self.raised_flag(flag.key, number[flag.key.session], flag)

    def raised_flag(self, key: FlagKey, number: int, flag: Any) -> RaisedFlag:
        """`flag`: anything with the evidence, the rating, and when it was raised."""
        rating = self.ratings.get(key.session) if flag.rating is not None else None
        badge_fall, sudden_fall = limits_of(flag.evidence)
        return RaisedFlag(
            key=key,
            number=number,
            on_work_list=flag.on_work_list,
            raised_at=flag.raised_at,
            total=rating.total if rating else None,
            received_at=rating.received_at if rating else None,
            corrects=rating.corrects if rating else False,
            badge_fall=badge_fall,
            sudden_fall=sudden_fall,
        )

    def _visit(self, session: SessionFact) -> Visit:
        rating = self.ratings.get(session.pk)
        day = timezone.localdate(session.held_at)
        return Visit(
            number=session.number,
            held_at=session.held_at,
            ends_at=session.ends_at,
            day=day,
            day_begins=beginning_of(day),
            due_day=timezone.localdate(session.ends_at + OVERDUE_AFTER),
            comes=session.attendance in COMES,
            attended=session.attendance == Attendance.ATTENDED,
            missed=session.attendance == Attendance.DID_NOT_ATTEND,
            total=rating.total if rating else None,
            series=rating.series if rating else "",
        )


def beginning_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def read(episodes: Collection[int]) -> dict[int, CourseFacts]:
    """{episode: its facts}, by row number; five queries however many there are."""
    sessions: dict[int, list[SessionFact]] = {episode: [] for episode in episodes}
    rows = TherapySession.objects.filter(episode__in=episodes).order_by("episode", "number")
    for episode, *fields in rows.values_list("episode_id", *SessionFact._fields):
        sessions[episode].append(SessionFact(*fields))
    # By the sessions' own numbers: by episode, PostgreSQL read all flags of the clinic for every batch.
    episode_of = {session.pk: episode for episode, found in sessions.items() for session in found}
    flags: dict[int, dict[FlagKey, FlagFact]] = defaultdict(dict)
    talks: dict[int, list[TalkFact]] = defaultdict(list)
    put_off: dict[int, list[DeferralFact]] = defaultdict(list)
    if episode_of:
        for flag in _flags(episode_of):
            flags[episode_of[flag.key.session]][flag.key] = flag
        for talk in _talks(episode_of):
            talks[episode_of[talk.session]].append(talk)
        for deferral in _deferrals(episode_of):
            put_off[episode_of[deferral.session]].append(deferral)
    ratings = read_ratings(episode_of)
    return {
        episode: CourseFacts(found, ratings, flags[episode], talks[episode], put_off[episode])
        for episode, found in sessions.items()
    }


def rating_fact(row: Rating, edition: str | None) -> RatingFact:
    """edition: of the wording it was filled in with, if any."""
    name, version = row.instrument, row.instrument_version
    return RatingFact(
        row.pk,
        instruments.get(name, version),
        row.language,
        row.marks,
        row.total,
        series_of(name, version, edition),
        row.received_at,
        row.replaces_id is not None,
        marks_state(row),
    )


OF_RATING = (
    *("id", "instrument", "instrument_version", "answers", "total", "language"),
    *("received_at", "replaces_id", "mode", "comment"),
)


def read_ratings(sessions: Collection[int]) -> dict[int, RatingFact]:
    """{session: the rating that counts}; one query."""
    rows = Rating.objects.standing().filter(session__in=sessions).order_by("-received_at")
    found = {}
    for session, edition, *fields in rows.values_list("session_id", "wording__edition", *OF_RATING):
        row = Rating(**dict(zip(OF_RATING, fields, strict=True)))
        found[session] = rating_fact(row, edition)
    return found


def _flags(sessions: Collection[int]) -> Iterator[FlagFact]:
    rows = Flag.objects.filter(session__in=sessions, instrument__in=SESSION_SCALES).order_by()
    for session, instrument, rule, pk, *fields, withdrawn_at in rows.values_list(
        *("session_id", "instrument", "rule", "pk", "rating_id", "is_new", "on_work_list", "evidence"),
        *("raised_at", "withdrawn_at"),
    ):
        yield FlagFact._make([pk, FlagKey(session, instrument, rule), *fields, withdrawn_at is None])


OF_FLAG = ("flags__session_id", "flags__instrument", "flags__rule")


def _talks(sessions: Collection[int]) -> Iterable[TalkFact]:
    """Oldest first."""
    rows = Discussion.objects.standing().filter(session__in=sessions).order_by("discussed_at", "pk")
    found: dict[int, TalkFact] = {}
    for pk, session, at, agreed, *key in rows.values_list(
        "pk", "session_id", "discussed_at", "agreed", *OF_FLAG
    ):
        talk = found.setdefault(pk, TalkFact(pk, session, at, bool(agreed), set()))
        if key[0] is not None:
            talk.about.add(FlagKey(*key))
    return found.values()


def _deferrals(sessions: Collection[int]) -> Iterable[DeferralFact]:
    """Oldest first."""
    rows = DeferralRow.objects.standing().filter(session__in=sessions).order_by("deferred_at", "pk")
    found: dict[int, DeferralFact] = {}
    for pk, session, at, kind, *key in rows.values_list("pk", "session_id", "deferred_at", "kind", *OF_FLAG):
        fact = found.setdefault(pk, DeferralFact(pk, session, at, kind == DeferralRow.Kind.LATER, set()))
        if key[0] is not None:
            fact.about.add(FlagKey(*key))
    return found.values()
