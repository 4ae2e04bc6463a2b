"""The facts of many courses at once, as plain values: what the rules and the standing are concluded from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.db.models import Case, Q
from django.utils import timezone

from alliance.encrypted_field import has_words
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.overdue import overdue_from
from alliance.measurement.sentences import EvidenceValue
from alliance.measurement.standing import CourseEvents, Deferral, FlagKey, RaisedFlag, Talk, Visit
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.courses.rating_state import RatingState, marks_state
from sessions_app.courses.scales import series_of
from sessions_app.flags.course import limits_of
from sessions_app.flags.deferrals import Deferral as DeferralRow
from sessions_app.flags.models import Flag
from sessions_app.instruments import rule_settings
from sessions_app.instruments.rule_settings import RuleSettings

COMES = frozenset({Attendance.PLANNED, Attendance.ATTENDED})


class SessionFact(NamedTuple):
    """One therapy session, by row number."""

    pk: int
    number: int
    held_at: datetime
    ends_at: datetime
    attendance: str
    judged_for: datetime | None = None  # when it began when it was found whether ...
    looked: bool | None = None  # ... its therapist had looked before (`looks_before`)


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
    imported: bool
    has_words: bool  # the client wrote something
    in_supervision: bool  # whether whoever supervises sees it, by what was promised


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

    def with_something_to_see(self) -> Iterator[SessionFact]:
        """The attended sessions before which marks of an earlier one had come in here."""
        first_marks: datetime | None = None
        for session in self.sessions:
            is_attended = session.attendance == Attendance.ATTENDED
            if is_attended and first_marks is not None and first_marks < session.held_at:
                yield session
            rating = self.ratings.get(session.pk)
            if rating is not None and not rating.imported:
                first_marks = min(first_marks or rating.received_at, rating.received_at)

    def events(self, raised: Iterable[RaisedFlag] | None = None) -> CourseEvents:
        """As `alliance.measurement.standing` reads them; raised: flags other than those that are stored."""
        number = {session.pk: session.number for session in self.sessions}
        to_see = {session.pk for session in self.with_something_to_see()}
        flags = list(self.raised(self.flags.values()) if raised is None else raised)
        return CourseEvents(
            visits=[self._visit(session, session.pk in to_see) for session in self.sessions],
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
            total=_total(rating, flag.evidence),
            received_at=rating.received_at if rating else None,
            corrects=rating.corrects if rating else False,
            imported=rating.imported if rating else False,
            badge_fall=badge_fall,
            sudden_fall=sudden_fall,
        )

    def _visit(self, session: SessionFact, has_something_to_see: bool) -> Visit:
        rating = self.ratings.get(session.pk)
        day = timezone.localdate(session.held_at)
        return Visit(
            number=session.number,
            held_at=session.held_at,
            ends_at=session.ends_at,
            day=day,
            day_begins=beginning_of(day),
            due_day=timezone.localdate(overdue_from(session.ends_at)),
            comes=session.attendance in COMES,
            attended=session.attendance == Attendance.ATTENDED,
            missed=session.attendance == Attendance.DID_NOT_ATTEND,
            total=rating.total if rating else None,
            series=rating.series if rating else "",
            looked=session.looked if has_something_to_see and session.judged_for == session.held_at else None,
        )


def _total(rating: RatingFact | None, evidence: Mapping[str, Any]) -> int | None:
    """What a flag compares: the total, or of a partial rating the most that it can have been."""
    if rating is None or rating.total is not None:
        return rating.total if rating else None
    return evidence.get("at_most")


def beginning_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def read(episodes: Collection[int]) -> dict[int, CourseFacts]:
    """{episode: its facts}, by row number; two queries however many there are."""
    sessions, ratings, _nothing = _sessions(episodes)
    return _courses(sessions, ratings)


def read_with_rules(episodes: Collection[int]) -> tuple[dict[int, CourseFacts], RuleSettings]:
    """As `read`, and the clinic's rules as they are when the sessions are read; in the same two queries.

    The rules come with the first session of each course. Where no course has a session, a query asks for them.
    """
    sessions, ratings, along = _sessions(episodes, rule_settings.beside(Q(number=1)))
    rules = rule_settings.of_columns(*along) if along is not None else rule_settings.in_force()
    return _courses(sessions, ratings), rules


def _courses(
    sessions: Mapping[int, list[SessionFact]], ratings: Mapping[int, RatingFact]
) -> dict[int, CourseFacts]:
    # By the sessions' own numbers: by episode, PostgreSQL read all flags of the clinic for every batch.
    episode_of = {session.pk: episode for episode, found in sessions.items() for session in found}
    flags: dict[int, dict[FlagKey, FlagFact]] = defaultdict(dict)
    talks: dict[int, dict[int, TalkFact]] = defaultdict(dict)
    put_off: dict[int, dict[int, DeferralFact]] = defaultdict(dict)
    for flag, talk, deferral in _flags_and_answers(episode_of):
        flags[episode_of[flag.key.session]][flag.key] = flag
        # What was said or decided at a session that was voided since counts as little as the session.
        if talk is not None and talk.session in episode_of:
            talks[episode_of[talk.session]].setdefault(talk.pk, talk).about.add(flag.key)
        if deferral is not None and deferral.session in episode_of:
            put_off[episode_of[deferral.session]].setdefault(deferral.pk, deferral).about.add(flag.key)
    return {
        episode: CourseFacts(
            found,
            {session.pk: ratings[session.pk] for session in found if session.pk in ratings},
            flags[episode],
            sorted(talks[episode].values(), key=lambda talk: (talk.at, talk.pk)),
            sorted(put_off[episode].values(), key=lambda deferral: (deferral.at, deferral.pk)),
        )
        for episode, found in sessions.items()
    }


OF_RATING = (
    *("id", "instrument", "instrument_version", "answers", "total", "language"),
    *("received_at", "replaces_id", "mode", "comment", "promise_id"),
)
OF_SESSION = (
    *("episode_id", "pk", "number", "held_at", "ends_at", "attendance"),
    *("look_before__held_at", "look_before__looked"),
)
# What the rating needs of other rows: its edition, and what was promised.
BESIDE_RATING = ("ratings__wording__edition", "ratings__promise__supervisor")
WITH_RATING = len(OF_SESSION)  # where the columns of the rating begin


def _sessions(
    episodes: Collection[int], along: Mapping[str, Case] | None = None
) -> tuple[dict[int, list[SessionFact]], dict[int, RatingFact], list[Any] | None]:
    """{episode: its sessions in the order of their numbers}, {session: the rating that counts}, and what came along.

    along: columns to fetch beside; their values are those of the last session that is the first of its course.
    """
    sessions: dict[int, list[SessionFact]] = {episode: [] for episode in episodes}
    came_along: list[Any] | None = None
    rows = TherapySession.objects.filter(episode__in=episodes).order_by("episode", "number")
    rows = rows.annotate(**along or {})
    # Corrected ratings come along and are dropped here: there are few, and a join that leaves them out is
    # planned as if one row came (docs/performance.md).
    marks: list[tuple[int, str | None, bool, Rating]] = []
    columns = (*OF_SESSION, *BESIDE_RATING, *(f"ratings__{name}" for name in OF_RATING), *(along or ()))
    for row in rows.values_list(*columns):
        session = SessionFact(*row[1:WITH_RATING])
        found = sessions[row[0]]
        if not found or found[-1] != session:
            found.append(session)
        if along and session.number == 1:
            came_along = list(row[-len(along) :])
        end = WITH_RATING + len(BESIDE_RATING) + len(OF_RATING)
        edition, in_supervision, *of_rating = row[WITH_RATING:end]
        if of_rating[OF_RATING.index("instrument")] is not None:
            rating = Rating(**dict(zip(OF_RATING, of_rating, strict=True)))
            marks.append((session.pk, edition, in_supervision is not False, rating))
    replaced = {rating.replaces_id for *_, rating in marks}
    standing = {
        session: rating_fact(rating, edition, in_supervision=in_supervision)
        for session, edition, in_supervision, rating in marks
        if rating.pk not in replaced and not rating.is_taken_out
    }
    return sessions, standing, came_along


OF_FLAG = ("session_id", "instrument", "rule", "pk", "rating_id", "is_new", "on_work_list", "evidence")
OF_ANSWERS = (
    *(f"discussions__{name}" for name in ("pk", "session_id", "discussed_at", "agreed", "withdrawn_at")),
    *(f"deferrals__{name}" for name in ("pk", "session_id", "deferred_at", "kind", "undone_at")),
)


def _flags_and_answers(
    sessions: Collection[int],
) -> Iterator[tuple[FlagFact, TalkFact | None, DeferralFact | None]]:
    """Each flag, withdrawn or not, once with each talk and deferral about it that stands; one query.

    Every talk and deferral is about a flag: the actions refuse others.
    """
    if not sessions:
        return
    rows = Flag.objects.filter(session__in=sessions).order_by()
    for row in rows.values_list(*OF_FLAG, "raised_at", "withdrawn_at", *OF_ANSWERS):
        session, instrument, rule, *said = row[:8]
        raised_at, withdrawn_at = row[8:10]
        key = FlagKey(session, instrument, rule)
        flag = FlagFact._make([said[0], key, *said[1:], raised_at, withdrawn_at is None])
        talk, deferral = None, None
        pk, session, at, agreed, taken_back = row[10:15]
        if pk is not None and taken_back is None:
            talk = TalkFact(pk, session, at, bool(agreed), set())
        pk, session, at, kind, undone_at = row[15:20]
        if pk is not None and undone_at is None:
            deferral = DeferralFact(pk, session, at, kind == DeferralRow.Kind.LATER, set())
        yield flag, talk, deferral


def rating_fact(row: Rating, edition: str | None, *, in_supervision: bool) -> RatingFact:
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
        row.is_imported,
        has_words(row, "comment"),
        in_supervision,
    )
