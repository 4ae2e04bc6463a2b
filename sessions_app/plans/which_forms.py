"""Which form rates the alliance of a session, and which questionnaires are due at it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

from django.utils import timezone

from alliance.measurement.form_plan import BEFORE_IT, Moment, Session, due_since
from alliance.measurement.instruments import Instrument
from clients.models import Episode
from sessions_app.courses.grants import Purpose, RatingGrant
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.plans import can_be_given, the_plan
from sessions_app.plans.models import PlannedForm
from sessions_app.plans.the_plan import Plan

COMES = (Attendance.PLANNED, Attendance.ATTENDED)


def alliance_form(episode: Episode, day: date | None = None, plan: Plan | None = None) -> Instrument:
    """The session scale that this client is given; day: the one that was in force then, for a form on paper.

    One query more than the settings: the plan may have another scale for this client, team or age. plan: of today,
    where the caller has read it.
    """
    if plan is None or day is not None:
        rows = PlannedForm.objects.filter(moment=Moment.RATING).about([episode.pk])
        plan = the_plan.of_rows(rows.standing() if day is None else rows.standing_on(day))
    planned = plan.scale(episode)
    if planned is not None:
        return planned.form
    settings = ClinicSettings.objects
    return (settings.in_force() if day is None else settings.in_force_on(day)).form


@dataclass(frozen=True)
class DueForm:
    """A questionnaire that a session asks for. since: the number of the session since which it is due.

    obstacle: why it cannot be given today, as a sentence; empty where it can.
    """

    instrument: Instrument
    rater: Rater
    moment: Moment
    since: int
    number: int
    obstacle: str = ""
    is_out: bool = False
    is_invented: bool = False  # in words that are nobody's, for a try-out

    @property
    def is_at_the_start(self) -> bool:
        return self.moment in BEFORE_IT

    @property
    def is_late(self) -> bool:
        """Due since an earlier session."""
        return self.since < self.number

    @property
    def key(self) -> str:
        return self.instrument.id

    @property
    def is_for_the_client(self) -> bool:
        return self.rater == Rater.CLIENT


@dataclass(frozen=True)
class FormsOfSession:
    """What a session asks for, short forms first. at_the_ending: if it is the last one, which a person says."""

    due: list[DueForm] = field(default_factory=list)
    at_the_ending: list[DueForm] = field(default_factory=list)

    @property
    def at_the_start(self) -> list[DueForm]:
        return [one for one in self.due if one.is_at_the_start and not one.is_late]

    @property
    def at_the_end(self) -> list[DueForm]:
        return [one for one in self.due if not one.is_at_the_start and not one.is_late]

    def can_be_given_alone(self, *, is_rated: bool) -> bool:
        """Whether the client can be given something without the rating: before the session, or after it came."""
        return any(
            (one.is_at_the_start or is_rated)
            and one.is_for_the_client
            and not one.obstacle
            and not one.is_out
            for one in self.due
        )

    @property
    def late(self) -> list[DueForm]:
        return [one for one in self.due if one.is_late]


def length(instrument: Instrument) -> tuple[int, int, str]:
    """By this the short forms come first."""
    return instrument.minutes, len(instrument.items), instrument.id


def due(
    sessions: Sequence[TherapySession], now: datetime, plan: Plan | None = None
) -> dict[int | None, FormsOfSession]:
    """{session: the questionnaires it asks for}; one query where nothing is planned, else a fixed number.

    Each session comes with its episode, and the episode with its client where a row of the plan asks for the age.
    One that is not stored yet may be among them. plan: where the caller has read it.
    """
    courses = {session.episode_id: session.episode for session in sessions}
    plan = plan or the_plan.standing(courses)
    if not plan.rows:
        return {}
    facts = _Facts.read([pk for pk, course in courses.items() if plan.questionnaires(course)], now)
    asked = _AskedOnce(timezone.localdate(now))
    return {session.pk: _of_session(session, plan, facts, asked, now) for session in sessions}


@dataclass(frozen=True)
class _Facts:
    """Of some courses: the sessions that come; what was answered or declined, and what is out, by form."""

    sessions: dict[int, list[Session]]
    given: dict[tuple[int, str], list[Session]]
    out: dict[int, set[str]]

    @classmethod
    def read(cls, episodes: Iterable[int], now: datetime) -> "_Facts":
        episodes = list(episodes)
        facts = cls(defaultdict(list), defaultdict(list), defaultdict(set))
        if not episodes:
            return facts
        rows = TherapySession.objects.filter(episode__in=episodes, attendance__in=COMES).order_by("number")
        for episode, number, held_at in rows.values_list("episode", "number", "held_at"):
            facts.sessions[episode].append(_session(number, held_at))
        answered = QuestionnaireResponse.objects.standing().filter(session__episode__in=episodes)
        grants = RatingGrant.every.filter(
            purpose=Purpose.QUESTIONNAIRE,
            session__episode__in=episodes,
            session__voided_at__isnull=True,
        )
        columns = ("session__episode", "instrument", "session__number", "session__held_at")
        # Who declines gives the whole set back: what had not been opened yet is declined with it.
        sets = RatingGrant.every.filter(session__episode__in=episodes, declined=True).values("form_set")
        declined = grants.filter(form_set__in=sets, withdrawn_at__isnull=False, answered_at__isnull=True)
        for row in answered.order_by().values_list(*columns).union(declined.order_by().values_list(*columns)):
            episode, instrument, number, held_at = row
            facts.given[episode, instrument].append(_session(number, held_at))
        for session, instrument in grants.awaiting(now).values_list("session", "instrument"):
            facts.out[session].add(instrument)
        return facts


def _session(number: int, held_at: datetime) -> Session:
    return Session(number, timezone.localdate(held_at))


def _of_session(
    session: TherapySession,
    plan: Plan,
    facts: _Facts,
    once: "_AskedOnce",
    now: datetime,
) -> FormsOfSession:
    found: dict[str, DueForm] = {}
    at_the_ending: dict[str, DueForm] = {}
    if session.attendance not in COMES:
        return FormsOfSession()
    asked = _session(session.number, session.held_at)
    for row in plan.questionnaires(session.episode):
        if session.ends_at <= now and row.timing.moment in BEFORE_IT:
            continue  # too late at this one
        since = due_since(
            row.timing,
            since=row.since,
            session=asked,
            sessions=sorted({*facts.sessions[session.episode_id], asked}),
            given=facts.given[session.episode_id, row.instrument],
            is_last=True,  # whether it is, a person says: those of the ending are shown apart
        )
        if since is None:
            continue
        there = at_the_ending if row.timing.moment == Moment.ENDING else found
        one = DueForm(row.form, Rater(row.rater), row.timing.moment, since, session.number)
        there[row.instrument] = min(one, there.get(row.instrument, one), key=_earlier)
    out = facts.out[session.pk]

    def as_it_is(one: DueForm) -> DueForm:
        form = one.instrument
        return replace(
            one, obstacle=once.obstacle(form), is_out=form.id in out, is_invented=once.is_invented(form)
        )

    in_order = sorted(found.values(), key=lambda one: length(one.instrument))
    more = [one for key, one in at_the_ending.items() if key not in found]
    return FormsOfSession(
        due=[as_it_is(one) for one in in_order],
        at_the_ending=[as_it_is(one) for one in sorted(more, key=lambda one: length(one.instrument))],
    )


def _earlier(one: DueForm) -> tuple[bool, int]:
    """Planned twice for one session, a form is given once: at the start, and since the earlier session."""
    return not one.is_at_the_start, one.since


class _AskedOnce:
    """What is known of the forms themselves, whatever session asks for them."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.obstacles: dict[str, str] = {}

    def obstacle(self, instrument: Instrument) -> str:
        if instrument.id not in self.obstacles:
            self.obstacles[instrument.id] = can_be_given.obstacle(instrument, self.today)
        return self.obstacles[instrument.id]

    @cached_property
    def _invented(self) -> set[str]:
        return can_be_given.in_invented_words()

    def is_invented(self, instrument: Instrument) -> bool:
        """Only words that a clinic brings can be: for ours no question is asked."""
        return instrument.licence == "licensed" and instrument.id in self._invented
