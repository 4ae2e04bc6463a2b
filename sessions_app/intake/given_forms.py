"""Which forms a page offers to give together, which of them are ticked, and what a press on it asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import Purpose, RatingGrant
from sessions_app.courses.models import SESSION_LENGTH, Attendance, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.intake.form_sets import RATING, Forms, ToFillIn
from sessions_app.plans import can_be_given, which_forms
from sessions_app.plans.the_plan import Plan
from sessions_app.plans.which_forms import DueForm, FormsOfSession, length

# What a page says of itself: without it the rating of the session is given, and nothing else.
SAYS, WITH_RATING, ALONE = "forms", "with rating", "alone"
RATERS = {
    Rater.CAREGIVER: "a caregiver of {client}",
    Rater.OBSERVER: "whoever observed the session",
    Rater.THERAPIST: "yourself",
}


@dataclass(frozen=True)
class Option:
    """One questionnaire that can be ticked. note: why it stands here, in a few words."""

    instrument: Instrument
    is_ticked: bool
    note: str = ""


@dataclass(frozen=True)
class FormChoice:
    """The forms of one page. planned: what the plan asks for; cannot: what it asks for and cannot be given today."""

    mode: str
    rater: Rater
    rating: bool  # whether that of the session is ticked
    can_be_rated: bool
    planned: list[Option]
    others: list[Option]
    cannot: list[DueForm]

    @property
    def with_rating(self) -> bool:
        return self.mode == WITH_RATING

    @property
    def has_any(self) -> bool:
        """Whether there is a questionnaire to tick."""
        return bool(self.planned or self.others)

    @property
    def filled_in_by(self) -> str:
        return RATERS.get(self.rater, "")


def mode_of(request: HttpRequest) -> str:
    asked = request.POST if request.method == "POST" else request.GET
    return ALONE if asked.get(SAYS) == ALONE else WITH_RATING


def rater_of(request: HttpRequest) -> Rater:
    """Who is to fill in: the client, unless a page for somebody else was opened, which has no rating."""
    asked = request.POST if request.method == "POST" else request.GET
    rater = asked.get("by", Rater.CLIENT)
    if rater not in Rater.values or (rater != Rater.CLIENT and mode_of(request) != ALONE):
        raise Http404
    return Rater(rater)


def read(request: HttpRequest) -> Forms:
    """What was ticked; the rating alone where the page had nothing to tick. Refused where one cannot be given."""
    posted: QueryDict = request.POST
    if SAYS not in posted:
        return RATING
    rater = rater_of(request)
    today = timezone.localdate()
    offered = {one.id: one for one in instruments.questionnaires() if one.raters[0] == rater}
    chosen = []
    for name in dict.fromkeys(posted.getlist("form")):
        if name not in offered:
            raise Http404
        if refusal := can_be_given.obstacle(offered[name], today):
            raise Refused(refusal)
        chosen.append(offered[name])
    rating = mode_of(request) == WITH_RATING and "rating" in posted
    if not rating and not chosen:
        raise Refused("Choose at least one form.")
    return Forms(rating, tuple(ToFillIn(one, rater) for one in sorted(chosen, key=length)))


def choice(
    request: HttpRequest,
    episode: Episode,
    session: TherapySession | None,
    plan: Plan,
    now: datetime,
    *,
    can_be_rated: bool,
) -> FormChoice | None:
    """What the page offers for this session, or for a new one; None where the clinic plans no forms.

    Ticked is what is due now: at its start before the session is over, else at its end.
    """
    if not plan.rows:
        return None
    session = session or _new_session(episode, now, begins=mode_of(request) == ALONE)
    mode, rater = mode_of(request), rater_of(request)
    forms = which_forms.due([session], now, plan).get(session.pk, FormsOfSession())
    asked = set(request.POST.getlist("form")) if SAYS in request.POST else None
    along = _out_with_the_rating(session, now) if mode == WITH_RATING else set()

    def option(one: DueForm) -> Option:
        is_due_now = one.is_at_the_start == (mode == ALONE and now < session.ends_at)
        is_ticked = is_due_now and (not one.is_out or one.key in along)
        return Option(one.instrument, one.key in asked if asked is not None else is_ticked, _note(one))

    due = [one for one in forms.due if one.rater == rater]
    ending = [
        Option(one.instrument, one.key in (asked or ()), "if this is the last session")
        for one in forms.at_the_ending
        if one.rater == rater and not one.obstacle
    ]
    planned = [option(one) for one in due if not one.obstacle] + ending
    there = {one.instrument.id for one in planned} | {one.key for one in due}
    return FormChoice(
        mode,
        rater,
        rating=can_be_rated and (asked is None or "rating" in request.POST),
        can_be_rated=can_be_rated,
        planned=planned,
        others=_others(rater, there, asked or set()),
        cannot=[one for one in due if one.obstacle],
    )


def _out_with_the_rating(session: TherapySession, now: datetime) -> set[str]:
    """What was given together with a rating that is still out: a new hand-over takes all of it back.

    Unticked, nobody would be asked it: whoever takes the tablet up again means the same forms.
    """
    if session.pk is None:
        return set()
    ratings = RatingGrant.objects.awaiting(now).filter(session=session)
    along = RatingGrant.every.awaiting(now).filter(
        form_set__in=ratings.values("form_set"), purpose=Purpose.QUESTIONNAIRE
    )
    return set(along.values_list("instrument", flat=True))


def _note(one: DueForm) -> str:
    note = _why_here(one)
    return f"in invented words, {note}" if one.is_invented else note


def _why_here(one: DueForm) -> str:
    if one.is_out:
        return "given out already and not handed in; a new one takes its place"
    if one.is_late:
        return f"due since session {one.since}"
    return "for the start" if one.is_at_the_start else "for the end"


def _others(rater: Rater, there: Iterable[str], asked: set[str]) -> list[Option]:
    """Whatever else can be given today, short forms first."""
    free = [
        one for one in instruments.questionnaires() if one.raters[0] == rater and one.id not in set(there)
    ]
    why_not = can_be_given.obstacles(free, timezone.localdate())
    return [Option(one, one.id in asked) for one in sorted(free, key=length) if not why_not[one.id]]


def _new_session(episode: Episode, now: datetime, *, begins: bool) -> TherapySession:
    """The session that a press would add, for what is due at it; not stored."""
    number = episode.sessions.filter(held_at__lte=now).count() + 1
    ends_at = now + SESSION_LENGTH if begins else now
    return TherapySession(
        episode=episode,
        number=number,
        held_at=ends_at - SESSION_LENGTH,
        ends_at=ends_at,
        attendance=Attendance.PLANNED,
    )
