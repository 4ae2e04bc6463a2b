"""The writes about a therapist's guess: made before the client marks, once a session; and whether one guesses."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import scoring
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses.models import Attendance, Rating, SetAsideRating, TherapySession
from sessions_app.courses.voided import refuse_if_voided
from sessions_app.intake.grants import refuse_before_its_day
from sessions_app.intake.session_actions import session_now
from sessions_app.plans import which_forms
from sessions_app.questionnaires.guesses import Guess

SWITCHED_OFF = "You have not switched guessing on. You can do that above your guesses."
CAME_ALREADY = "The marks are there already: a guess after them tells you nothing."
GUESSED_ALREADY = "You have guessed this session already. A guess is not changed."


@transaction.atomic
def guess_now(
    *,
    episode: Episode,
    answers: Mapping[str, int | None],
    by: User,
    form_key: UUID | None = None,
    **which: Any,
) -> Guess:
    """A guess at the rating of a session of this episode; `which`: as for `session_now`."""
    if not by.guesses_first:
        raise Refused(SWITCHED_OFF)
    refuse_before_its_day(lock_episode(episode.pk))
    session = session_now(episode=episode, by=by, form_key=form_key, **which)
    return guess(session=session, answers=answers, by=by)


@transaction.atomic
def guess(*, session: TherapySession, answers: Mapping[str, int | None], by: User) -> Guess:
    """Refused once the client's marks have come; the same guess sent again is the one that is stored."""
    if not by.guesses_first:
        raise Refused(SWITCHED_OFF)
    # Before the look for marks: each way on which they come takes it too.
    session.episode = lock_episode(session.episode_id)
    refuse_if_voided(session)
    session.refresh_from_db(fields=["number", "attendance"])
    if not session.episode.is_open:
        raise Refused("This episode is closed: nothing is marked in it any more.")
    if session.attendance in {Attendance.CANCELLED, Attendance.DID_NOT_ATTEND}:
        raise Refused(f"Session {session.number} did not take place. Change its attendance first.")
    form = which_forms.alliance_form(session.episode, timezone.localdate(session.held_at))
    score = scoring.score(form, answers)
    before: Guess | None = Guess.objects.filter(session=session, therapist=by).first()
    if before is not None:
        if before.answers == score.answers:
            return before
        raise Refused(GUESSED_ALREADY)
    if _marks_came(session):
        raise Refused(CAME_ALREADY)
    made = Guess(
        session=session,
        therapist=by,
        instrument=form.id,
        instrument_version=form.version,
        answers=score.answers,
        total=score.total,
    )
    made.save(force_insert=True)
    audit.record(LogEvent.GUESS_MADE, made, by=by, client=session.client_code)
    return made


def _marks_came(session: TherapySession) -> bool:
    """Whether the therapist can have seen marks of this session: those that count, counted, or were set aside."""
    rows = Rating.objects.filter(session=session)
    if any(not (row.is_blank or row.is_taken_out) for row in rows):
        return True
    return SetAsideRating.objects.filter(session=session).exists()


@transaction.atomic
def choose_guessing(*, on: bool, by: User) -> User:
    """Whether `by` guesses; for themselves alone."""
    if by.guesses_first != on:
        by.guesses_first = on
        by.save(update_fields=["guesses_first"])
        audit.record(LogEvent.GUESSING_CHOSEN, by, by=by)
    return by
