"""The questionnaires that a client's page speaks of: due at the sessions of today and the next one, and given out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.form_plan import Moment
from alliance.measurement.instruments import Instrument
from clients.models import Episode
from sessions_app.courses.grants import Purpose, RatingGrant
from sessions_app.courses.models import TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.rating_state import RatingState, how_far
from sessions_app.flags.facts import beginning_of
from sessions_app.plans import plan_words, the_plan, which_forms
from sessions_app.plans.which_forms import FormsOfSession


@dataclass(frozen=True)
class AtSession:
    """What one session asks for."""

    session: TherapySession
    forms: FormsOfSession

    @property
    def in_words(self) -> str:
        return plan_words.asked_for(self.forms)

    @property
    def other_raters(self) -> list[Rater]:
        """Who else is asked to fill in something; each is given a form of their own."""
        return sorted({one.rater for one in self.forms.due if not one.is_for_the_client and not one.obstacle})


@dataclass(frozen=True)
class Out:
    """The questionnaires that are given out at one session, and how far each is."""

    session: TherapySession
    forms: list[tuple[Instrument, RatingState]]


@dataclass(frozen=True)
class FormsOfClient:
    sessions: list[AtSession]
    out: list[Out]
    ending: list[Instrument]
    has_a_session: bool  # today, or planned


def of_client(episode: Episode, now: datetime) -> FormsOfClient | None:
    """None where nothing is planned, with one query."""
    plan = the_plan.standing_for(episode.pk)
    if not plan.rows:
        return None
    shown = _of_today_and_next(episode, now)
    for session in shown:
        session.episode = episode
    due = which_forms.due(shown, now, plan)
    sessions = [AtSession(session, due[session.pk]) for session in shown if due[session.pk].due]
    ending = plan_of_the_ending(plan, episode)
    return FormsOfClient(sessions, _out(episode, now), ending, has_a_session=bool(shown))


def plan_of_the_ending(plan: the_plan.Plan, episode: Episode) -> list[Instrument]:
    rows = [row for row in plan.questionnaires(episode) if row.moment == Moment.ENDING]
    return sorted((row.form for row in rows), key=which_forms.length)


def _of_today_and_next(episode: Episode, now: datetime) -> list[TherapySession]:
    begins = beginning_of(timezone.localdate(now))
    ends = begins + timedelta(days=1)
    rows = TherapySession.objects.filter(episode=episode, attendance__in=which_forms.COMES)
    of_today = list(rows.filter(ends_at__gte=begins, held_at__lt=ends).order_by("held_at"))
    if any(session.ends_at > now for session in of_today):
        return of_today
    return [*of_today, *rows.filter(held_at__gte=ends).order_by("held_at")[:1]]


def _out(episode: Episode, now: datetime) -> list[Out]:
    """What the client has; the forms of others are on the page of other raters, each with a way back of its own."""
    grants = RatingGrant.every.awaiting(now).filter(
        session__episode=episode,
        session__voided_at__isnull=True,
        purpose=Purpose.QUESTIONNAIRE,
        rater=Rater.CLIENT,
    )
    found: dict[int, Out] = {}
    for grant in grants.select_related("session").order_by("session__number", "form_set", "place_in_set"):
        out = found.setdefault(grant.session_id, Out(grant.session, []))
        form = instruments.get(grant.instrument, grant.instrument_version)
        out.forms.append((form, how_far(grant.channel, grant.opened_at)))
    return list(found.values())
