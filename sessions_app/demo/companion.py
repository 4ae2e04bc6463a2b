"""One therapist's clients mark how life is going, and an inventory now and then; four of them a published scale too.

Our own life lines have no reliable change, so that they are read as a plain course. What alliance and outcome say
together is told by the published scale: one client for each of the four cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from alliance.measurement import form_plan, instruments
from alliance.measurement.alliance_and_outcome import Alliance, alliance_of
from alliance.measurement.form_plan import Frequency, Moment
from alliance.measurement.instruments import Instrument
from alliance.models import AuditEvent
from clients.models import AgeBand, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.demo import given, planned
from sessions_app.demo.given import MINUTE
from sessions_app.demo.staff import Team
from sessions_app.flags import course
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.plans.models import PlannedForm

LIFE, SCALE, INVENTORY = "life-lines", "gad-7", "wai-sr"
AGO = timedelta(days=120)
EVERY = 4
ANSWERS = 0.94  # share of the forms that are filled in
FEWEST = 5  # sessions of a course that is read together
WHY = "Came because of worries: a published scale tells whether a change is one"
# What the outcome does, and which alliance is looked for beside it. The rarer first.
CASES = (
    ("up", (Alliance.FALLING, Alliance.LOW)),
    ("flat", (Alliance.LOW,)),
    ("flat", (Alliance.FINE,)),
    ("up", (Alliance.FINE,)),
)
UP, FLAT = (15, 6), (12, 11)  # GAD-7, at the first and at the last time


@dataclass
class _Written:
    """What is written so far; stored at the end, many rows at a time."""

    rng: Random
    now: datetime
    responses: list[QuestionnaireResponse] = field(default_factory=list)
    lines: list[AuditEvent] = field(default_factory=list)


def write(team: Team, now: datetime, wording: ClinicWording) -> list[AuditEvent]:
    """The plan, and what it brought in since; the lines that it leaves in the log."""
    therapist, office, at = team.therapists[1], team.administrator, now - AGO
    done = _Written(Random("companion"), now)
    _, first = planned.plan(LIFE, Moment.START, at, by=office, therapist=therapist)
    row, second = planned.plan(
        INVENTORY,
        Moment.END,
        at + 3 * MINUTE,
        by=office,
        frequency=Frequency.SESSIONS,
        every=EVERY,
        therapist=therapist,
        age_band=AgeBand.ADULT,
    )
    done.lines += [first, second]
    episodes = list(
        Episode.objects.filter(therapist=therapist).select_related("client", "therapist").order_by("pk")
    )
    courses = {episode.pk: _sessions(episode, at, now) for episode in episodes}
    chosen = _chosen(episodes, courses, now)
    for episode in episodes:
        sessions, outcome = courses[episode.pk], chosen.get(episode.pk, "")
        _life_lines(sessions, outcome, done)
        if outcome:
            _scale(episode, sessions, outcome, done)
        if episode.client.age_band == AgeBand.ADULT:
            _inventories(sessions, row, wording, done)
    given.store(done.responses)
    return done.lines


def _sessions(episode: Episode, since: datetime, now: datetime) -> list[TherapySession]:
    """Those that took place since then, in their order."""
    rows = episode.sessions.filter(held_at__gte=since, held_at__lte=now, attendance=Attendance.ATTENDED)
    found = list(rows.select_related("episode__client", "episode__therapist").order_by("number"))
    return found


def _chosen(
    episodes: list[Episode], courses: Mapping[int, list[TherapySession]], now: datetime
) -> dict[int, str]:
    """{course: what its outcome does}, a course for each case as far as there is one."""
    long_enough = [
        one
        for one in episodes
        if one.is_open and one.client.age_band == AgeBand.ADULT and len(courses[one.pk]) >= FEWEST
    ]
    alliances = {one.pk: _alliance(one, now) for one in long_enough}
    chosen: dict[int, str] = {}
    for outcome, wanted in CASES:
        fitting = (
            pk for way in wanted for pk, found in alliances.items() if found == way and pk not in chosen
        )
        if (pk := next(fitting, None)) is not None:
            chosen[pk] = outcome
    return chosen


def _alliance(episode: Episode, now: datetime) -> Alliance:
    """As the page reads it: at the last complete rating."""
    rules = rule_settings.in_force()
    rated = [one for one in course.read(episode, now, rules) if one.rating and one.rating.total is not None]
    if not rated or rated[-1].rating is None:
        return Alliance.CANNOT_TELL
    raised = frozenset(finding.rule for finding in rated[-1].findings)
    return alliance_of(rated[-1].rating.total, rated[-1].parameters, rules=raised)


# --- How life is going, at the start of a session --------------------------------------------------


def _life_lines(sessions: list[TherapySession], outcome: str, done: _Written) -> None:
    rng, form = done.rng, instruments.get(LIFE)
    level = rng.gauss(200, 35)
    by = {"up": 90.0, "flat": 5.0}.get(outcome, rng.uniform(-20, 120))
    for place, session in enumerate(sessions):
        if not outcome and rng.random() > ANSWERS:
            continue
        now = level + by * place / max(1, len(sessions) - 1)
        answers = {item.id: _within(now / 4 + rng.gauss(0, 6), 0, 100) for item in form.items}
        _answered(session, form, answers, session.held_at + 2 * MINUTE, done)


def _scale(episode: Episode, sessions: list[TherapySession], outcome: str, done: _Written) -> None:
    """Chosen by the therapist for this client, and marked in one set with the life lines, after them."""
    form = instruments.get(SCALE)
    _, chosen = planned.plan(
        SCALE, Moment.START, sessions[0].held_at - 5 * MINUTE, by=episode.therapist, episode=episode, why=WHY
    )
    done.lines.append(chosen)
    first, last = UP if outcome == "up" else FLAT
    for place, session in enumerate(sessions):
        between = first + (last - first) * place / (len(sessions) - 1)
        is_end = place in (0, len(sessions) - 1)
        total = round(between if is_end else between + done.rng.gauss(0, 1))
        answers = _spread(total, form, done.rng)
        before = next(one.grant for one in done.responses if one.session == session)
        at = session.held_at + 3 * MINUTE
        _answered(session, form, answers, at, done, after=before)


def _spread(total: int, form: Instrument, rng: Random) -> dict[str, int | None]:
    """Answers to choices from 0 on that add up to this many points."""
    answers = {item.id: total // len(form.items) for item in form.items}
    for item in rng.sample(list(answers), total % len(form.items)):
        answers[item] += 1
    return {item: 10 * points for item, points in answers.items()}


# --- An inventory, every n-th session ----------------------------------------------------------------


def _inventories(
    sessions: list[TherapySession], row: PlannedForm, wording: ClinicWording, done: _Written
) -> None:
    """Where the plan asks for it, after the rating and in one set with it."""
    rated = {
        grant.session_id: grant
        for grant in RatingGrant.objects.filter(session__in=sessions, rating__isnull=False)
    }
    rng, form = done.rng, instruments.get(INVENTORY)
    level, answered = rng.gauss(37, 4), list[form_plan.Session]()
    days = [form_plan.Session(one.number, timezone.localdate(one.held_at)) for one in sessions]
    for session, day in zip(sessions, days, strict=True):
        due = form_plan.due_since(row.timing, since=row.since, session=day, sessions=days, given=answered)
        if due is None or session.pk not in rated or rng.random() > ANSWERS:
            continue
        level += rng.uniform(-0.5, 2)
        answers = {item.id: 10 * _within(rng.gauss(level, 7) / 10, 1, 5) for item in form.items}
        before = rated[session.pk]
        _answered(session, form, answers, before.made_at + 4 * MINUTE, done, after=before, wording=wording)
        answered.append(day)


# --- Rows ---------------------------------------------------------------------------------------------


def _answered(
    session: TherapySession,
    form: Instrument,
    answers: Mapping[str, int | None],
    at: datetime,
    done: _Written,
    *,
    after: RatingGrant | None = None,
    wording: ClinicWording | None = None,
) -> None:
    """after: the form of the same set before it."""
    if at >= done.now:
        return
    made_at = after.made_at if after else at - 2 * MINUTE
    grant = given.grant(session, form, done.rng, made_at, wording=wording)
    if after is not None:
        grant.form_set, grant.place_in_set, grant.opened_at = (
            after.form_set,
            after.place_in_set + 1,
            at - MINUTE,
        )
    done.responses.append(given.response(grant, form, answers, at))


def _within(value: float, low: int, high: int) -> int:
    return max(low, min(high, round(value)))
