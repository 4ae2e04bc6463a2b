"""The writes about sessions: added, changed, voided, found."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from alliance import audit
from alliance.days import day
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed, refuse_if_changed
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses.decisions import Correction
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import (
    SESSION_LENGTH,
    Attendance,
    Modality,
    Rating,
    TherapySession,
)
from sessions_app.courses.voided import refuse_if_voided
from sessions_app.flags.conclude import conclude
from sessions_app.flags.models import Flag
from sessions_app.intake import opening_day, which_session
from sessions_app.intake.replacements import no_marks
from sessions_app.intake.session_facts import MINUTE, as_stored, would_count_nowhere
from sessions_app.intake.session_numbers import number_by_date

USED = "This page was sent before, and what it made is not there any more. Open the page again."

# --- Added and changed ---------------------------------------------------------------------------


@transaction.atomic
def add_session(
    *,
    episode: Episode,
    held_at: datetime,
    by: User,
    modality: str = Modality.IN_PERSON,
    attendance: str = Attendance.PLANNED,
    length: timedelta = SESSION_LENGTH,
    another: bool = False,
    form_key: UUID | None = None,
    move_opening: bool = False,
) -> TherapySession:
    """A session, numbered by its date. Whoever adds one to a closed episode is told so.

    form_key: sent again with the same one, the session that it made is returned. another: it may start when a
    session of this episode does already. move_opening: where it lies before the episode was opened, the opening day
    moves to it in the same step.
    """
    locked = lock_episode(episode.pk)
    if made := _made_by(form_key, locked):
        return made
    if not locked.is_open:
        raise Refused("This episode is closed. Reopen it to add a session.")
    if not another:
        _refuse_if_there(locked, held_at)
    opening_day.keep_or_move(locked, held_at, length, move=move_opening, by=by)
    session = TherapySession.objects.create(
        episode=episode,
        number=_next_number(locked),
        held_at=held_at,
        ends_at=held_at + length,
        modality=modality,
        attendance=attendance,
        form_key=form_key,
    )
    number_by_date(locked)
    session.refresh_from_db(fields=["number"])
    audit.record(LogEvent.SESSION_ADDED, session, by=by, client=episode.client_code)
    conclude(episode=episode)
    return session


@transaction.atomic
def change_session(
    *,
    session: TherapySession,
    held_at: datetime,
    modality: str,
    attendance: str,
    by: User,
    length: timedelta | None = None,
    another: bool = False,
    opened_with: Opened | None = None,
    move_opening: bool = False,
) -> TherapySession:
    """length: as it was, where none is given; another, move_opening: as for `add_session`."""
    episode = lock_episode(session.episode_id)
    refuse_if_voided(session)
    _refuse_if_closed(episode)
    session.refresh_from_db(fields=["held_at", "ends_at", "modality", "attendance"])
    stored = as_stored(session)
    minutes = stored["minutes"] if length is None else length // MINUTE
    typed = {"held_at": held_at, "minutes": minutes, "modality": modality, "attendance": attendance}
    new = changed(opened_with, stored=stored, typed=typed)
    if not new:
        return session
    if attendance != Attendance.ATTENDED:
        stands = Rating.objects.standing().filter(session=session).first()
        if stands is not None and stands.total is not None:
            raise Refused(
                "This session has a rating, so it took place. If the marks are not of this session, set them aside."
            )
        if RatingGrant.objects.awaiting(timezone.now()).filter(session=session).exists():
            raise Refused("The tablet is handed over for this session. Take that back first.")
        # Questionnaires are given at a session that is still to come, too.
        is_out = RatingGrant.every.awaiting(timezone.now()).filter(session=session).exists()
        if is_out and attendance != Attendance.PLANNED:
            raise Refused("A form of this session is out. Take it back first.")
        if stands is not None:
            # A form that came back empty or half filled in: it stays readable, and counts for nothing.
            why = f"The session: {Attendance(attendance).label.lower()}."
            no_marks(stands, by=by, kind=Correction.Kind.TAKEN_OUT, why=why)
    if "held_at" in new and not another:
        _refuse_if_there(episode, held_at, besides=session)
    lasted = new.pop("minutes") * MINUTE if "minutes" in new else session.ends_at - session.held_at
    if "held_at" in new:
        opening_day.keep_or_move(episode, held_at, lasted, move=move_opening, by=by)
    session.held_at = new.get("held_at", session.held_at)
    new["ends_at"] = session.held_at + lasted
    for field, value in new.items():
        setattr(session, field, value)
    session.save(update_fields=new)
    number_by_date(episode)
    session.refresh_from_db(fields=["number"])
    audit.record(LogEvent.SESSION_CHANGED, session, by=by, client=session.client_code, attendance=attendance)
    conclude(episode=session.episode)
    return session


def there_already(session: TherapySession) -> str:
    """The question that is asked where a session of the same client starts at the same time."""
    when = day(session.held_at, "j F, H:i")
    return f"There is already a session at this time: session {session.number}, {when}. Is this another one?"


def _refuse_if_there(episode: Episode, held_at: datetime, besides: TherapySession | None = None) -> None:
    if there := which_session.at_the_same_time(episode, held_at, besides=besides):
        raise Refused(there_already(there))


def _made_by(form_key: UUID | None, episode: Episode) -> TherapySession | None:
    """What this form made when it was sent before; None where it is sent for the first time."""
    made: TherapySession | None = TherapySession.every.filter(form_key=form_key).first() if form_key else None
    if made is not None and (made.is_voided or made.episode_id != episode.pk):
        raise Refused(USED)
    return made


def _next_number(episode: Episode) -> int:
    last: int | None = episode.sessions.aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


# --- Voided --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Voided:
    """The session, and whether a form was out for it, which is taken back."""

    session: TherapySession
    was_out: bool


@transaction.atomic
def void_session(*, session: TherapySession, why: str, by: User, opened_with: Opened | None = None) -> Voided:
    """The session counts nowhere from now on. All that hangs on it stays readable; `put_session_back` is the way back.

    A form that is out is taken back: marks that arrive later are kept aside, and the therapist is shown them.
    """
    episode = lock_episode(session.episode_id)
    refuse_if_voided(session)
    _refuse_if_closed(episode)
    session.refresh_from_db(fields=["held_at", "ends_at", "attendance"])
    refuse_if_changed(opened_with, would_count_nowhere(session))
    now = timezone.now()
    out = list(RatingGrant.every.awaiting(now).filter(session=session))
    RatingGrant.every.filter(pk__in=[grant.pk for grant in out]).update(withdrawn_at=now, withdrawn_by=by)
    for grant in out:
        audit.record(LogEvent.HAND_OVER_TAKEN_BACK, grant, by=by, client=session.client_code)
    session.voided_at, session.voided_by, session.void_reason = now, by, why
    session.save(update_fields=["voided_at", "voided_by", "void_reason"])
    # `conclude` reads the sessions that count: it does not see the flags of this one any more.
    Flag.objects.standing().filter(session=session).update(withdrawn_at=now)
    number_by_date(episode)
    audit.record(LogEvent.SESSION_VOIDED, session, by=by, client=session.client_code)
    conclude(episode=episode)
    return Voided(session, was_out=bool(out))


@transaction.atomic
def put_session_back(*, session: TherapySession, by: User) -> TherapySession:
    """Undo of `void_session`: number, rating, flags, and what was said about them stand again.

    A form that was out then stays taken back. Pressed twice, it is done once.
    """
    episode = lock_episode(session.episode_id)
    session.refresh_from_db(fields=["voided_at"])
    if not session.is_voided:
        return session
    _refuse_if_closed(episode)
    session.number = _next_number(episode)
    session.voided_at, session.voided_by, session.void_reason = None, None, ""
    session.save(update_fields=["number", "voided_at", "voided_by", "void_reason"])
    number_by_date(episode)
    session.refresh_from_db(fields=["number"])
    audit.record(LogEvent.SESSION_PUT_BACK, session, by=by, client=session.client_code)
    conclude(episode=episode)
    return session


def _refuse_if_closed(episode: Episode) -> None:
    if not episode.is_open:
        raise Refused("This episode is closed. Reopen it to change a session.")


# --- Found ---------------------------------------------------------------------------------------


@transaction.atomic
def session_now(
    *,
    episode: Episode,
    by: User,
    session: TherapySession | None = None,
    new: bool = False,
    seen: Collection[str] | None = None,
    form_key: UUID | None = None,
    begins: bool = False,
) -> TherapySession:
    """The session for which a form goes out: `session`, else (unless `new`) the one that is on or just ended.

    Else a new one that ends now; begins: one that begins now, for forms that are given before it. seen: the sessions of
    today that the person saw when they chose a new one, where that is known.
    """
    lock_episode(episode.pk)  # first: two presses at once must find the same session
    now = timezone.now()
    if session is not None:
        _refuse_if_too_late(session, now)
        return session
    if made := _made_by(form_key, episode):
        return made
    found = None if new else which_session.session_to_rate(episode, now)
    if found is None and begins:
        _refuse_unseen(which_session.of_today(episode, now), seen, now)
        return add_session(episode=episode, held_at=now, another=True, by=by, form_key=form_key)
    return found or _new_session(episode, now, seen, by, form_key)


def _refuse_if_too_late(session: TherapySession, now: datetime) -> None:
    """Marks on four lines are of the session, and not of what is left of it after a week."""
    if session.not_rated_from <= now:
        raise Refused(
            f"Session {session.number} ended more than seven days ago, so no form is handed over for it. "
            "Enter from paper or voice what the client says about it."
        )


def _new_session(
    episode: Episode, now: datetime, seen: Collection[str] | None, by: User, form_key: UUID | None
) -> TherapySession:
    today = which_session.of_today(episode, now)
    starts = which_session.start_of_new(today, now)
    _refuse_unseen(today, seen, now)
    return add_session(
        episode=episode,
        held_at=starts,
        length=now - starts,
        attendance=Attendance.ATTENDED,
        another=True,
        by=by,
        form_key=form_key,
    )


def _refuse_unseen(today: Collection[TherapySession], seen: Collection[str] | None, now: datetime) -> None:
    """A session that was added since the person looked may be the one they mean."""
    for one in today:
        if seen is not None and str(one.code) not in seen:
            raise Refused(f"{one}, {which_session.when(one, now)}, was added meanwhile. Say which one it is.")
