"""What a plan would have asked in the last weeks: how many forms, of how many clients, in how many minutes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.form_plan import Session, asked_at
from alliance.measurement.instruments import Instrument
from clients.models import Episode
from sessions_app.courses.models import TherapySession
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.plans import the_plan
from sessions_app.plans.models import PlannedForm
from sessions_app.plans.the_plan import Plan

WEEKS = 8


@dataclass(frozen=True)
class Burden:
    """Of the clients who had a session in the last weeks. forms and minutes: with the rating of each session."""

    clients: int
    sessions: int
    forms: int
    minutes: int
    most_minutes: int  # of one client

    @property
    def forms_a_week(self) -> str:
        return _tenth(self.forms / WEEKS)

    @property
    def minutes_a_client_and_week(self) -> str:
        return _tenth(self.minutes / self.clients / WEEKS) if self.clients else "0"

    @property
    def most_minutes_a_week(self) -> str:
        return _tenth(self.most_minutes / WEEKS)

    @property
    def minutes_a_session(self) -> str:
        return _tenth(self.minutes / self.sessions) if self.sessions else "0"


@dataclass(frozen=True)
class Asked:
    """What one row of the plan asks. clients: for whom it is meant and who are in therapy today."""

    clients: int
    asked: int  # of whom it would have asked something in the last weeks
    forms: int
    minutes: int

    @property
    def forms_a_week(self) -> str:
        return _tenth(self.forms / WEEKS)


@dataclass(frozen=True)
class Preview:
    """What a change does: to those whom it is about, before and after it."""

    asked: Asked
    before: Burden
    after: Burden


@dataclass(frozen=True)
class Courses:
    """The courses of the last weeks: of each its sessions that took place then, in order, after one that stands for
    all before.
    """

    since: date
    episodes: Sequence[Episode]
    sessions: dict[int, list[Session]]
    chosen: Sequence[PlannedForm]  # what therapists chose for single courses
    scale: Instrument

    def lately(self, episode: Episode) -> list[Session]:
        return [one for one in self.sessions.get(episode.pk, []) if one.day >= self.since]


def read(now: datetime) -> Courses:
    """Four queries, however many courses there are; of a course of years only the sessions of the last weeks."""
    today = timezone.localdate(now)
    since = today - timedelta(weeks=WEEKS)
    of_late = Q(closed_on__isnull=True) | Q(closed_on__gte=since)
    episodes = list(Episode.objects.filter(of_late).select_related("client"))
    sessions: dict[int, list[Session]] = defaultdict(list)
    begins = timezone.make_aware(datetime.combine(since, time.min))
    held = TherapySession.objects.attended().filter(held_at__gte=begins, held_at__lte=now)
    columns = ("episode", "number", "held_at")
    for episode, number, held_at in held.order_by("episode", "number").values_list(*columns):
        if episode not in sessions and number > 1:
            sessions[episode].append(Session(number - 1, since - timedelta(days=1)))
        sessions[episode].append(Session(number, timezone.localdate(held_at)))
    chosen = list(PlannedForm.objects.standing().filter(episode__isnull=False))
    return Courses(since, episodes, dict(sessions), chosen, ClinicSettings.objects.in_force().form)


def preview(
    rows: Iterable[PlannedForm],
    now: datetime,
    *,
    added: PlannedForm | None = None,
    ended: PlannedForm | None = None,
) -> Preview:
    """What it does to add one row to these rows of the clinic, to end one, or to change one into the other."""
    courses, rows = read(now), list(rows)
    before = the_plan.of_rows([*rows, *courses.chosen])
    left = [row for row in rows if ended is None or row.pk != ended.pk]
    after = the_plan.of_rows([*left, *([added] if added else []), *courses.chosen])
    about = [
        one
        for one in courses.episodes
        if (added and added in after.of(one)) or (ended and ended in before.of(one))
    ]
    of_row = (after, added) if added else (before, ended)
    return Preview(
        asked=_asked(about, courses, *of_row),
        before=_burden(about, courses, before),
        after=_burden(about, courses, after),
    )


def of_plan(rows: Iterable[PlannedForm], now: datetime) -> Burden:
    """What the plan as it stands asks of all clients."""
    courses = read(now)
    return _burden(courses.episodes, courses, the_plan.of_rows([*rows, *courses.chosen]))


def _asked(about: Sequence[Episode], courses: Courses, plan: Plan, row: PlannedForm | None) -> Asked:
    asked = [len(_asked_at(courses, one, row)) for one in about if row and row in plan.of(one)]
    in_therapy = sum(one.is_open for one in about)
    minutes = row.form.minutes if row else 0
    return Asked(in_therapy, sum(times > 0 for times in asked), sum(asked), sum(asked) * minutes)


def _burden(about: Sequence[Episode], courses: Courses, plan: Plan) -> Burden:
    forms, minutes, sessions = [], [], 0
    for episode in about:
        lately = courses.lately(episode)
        if not lately:
            continue
        scale = plan.scale(episode)
        asked: dict[str, set[int]] = defaultdict(set)
        for row in plan.questionnaires(episode):
            asked[row.instrument] |= _asked_at(courses, episode, row)
        sessions += len(lately)
        forms.append(len(lately) + sum(map(len, asked.values())))
        minutes.append(
            len(lately) * (scale.form if scale else courses.scale).minutes
            + sum(len(numbers) * instruments.get(one).minutes for one, numbers in asked.items())
        )
    return Burden(len(forms), sessions, sum(forms), sum(minutes), max(minutes, default=0))


def _asked_at(courses: Courses, episode: Episode, row: PlannedForm) -> set[int]:
    """The numbers of the sessions at which this row would have asked, had the plan begun with the last weeks."""
    if row.is_rating:
        return {one.number for one in courses.lately(episode)}
    sessions = courses.sessions.get(episode.pk, [])
    asked = asked_at(row.timing, since=courses.since, sessions=sessions, ends=not episode.is_open)
    return {one.number for one in asked}


def _tenth(figure: float) -> str:
    """One decimal below ten, none above: nobody plans by more."""
    return f"{figure:.1f}".removesuffix(".0") if figure < 10 else f"{figure:.0f}"
