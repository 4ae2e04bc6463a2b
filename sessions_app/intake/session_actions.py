"""The writes about sessions: added, changed, found."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.lock import lock_episode
from sessions_app.courses.models import (
    SESSION_LENGTH,
    Attendance,
    Modality,
    TherapySession,
)
from sessions_app.flags.conclude import conclude
from sessions_app.intake import opening_day
from sessions_app.intake.session_numbers import number_by_date

# --- Sessions ------------------------------------------------------------------------------------


@transaction.atomic
def add_session(
    *,
    episode: Episode,
    held_at: datetime,
    by: User,
    modality: str = Modality.IN_PERSON,
    attendance: str = Attendance.PLANNED,
    length: timedelta = SESSION_LENGTH,
    move_opening: bool = False,
) -> TherapySession:
    """A session, numbered by its date. Whoever adds one to a closed episode is told so.

    move_opening: where it lies before the episode was opened, the opening day moves to it in the same step.
    """
    locked = lock_episode(episode.pk)
    if not locked.is_open:
        raise Refused("This episode is closed. Reopen it to add a session.")
    opening_day.keep_or_move(locked, held_at, length, move=move_opening, by=by)
    last = locked.sessions.aggregate(last=Max("number"))["last"] or 0
    session = TherapySession.objects.create(
        episode=episode,
        number=last + 1,
        held_at=held_at,
        ends_at=held_at + length,
        modality=modality,
        attendance=attendance,
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
    move_opening: bool = False,
) -> TherapySession:
    episode = lock_episode(session.episode_id)
    if not episode.is_open:
        raise Refused("This episode is closed. Reopen it to change a session.")
    if attendance != Attendance.ATTENDED:
        if session.ratings.exists():
            raise Refused("This session has a rating, so it took place.")
        if RatingGrant.objects.awaiting(timezone.now()).filter(session=session).exists():
            raise Refused("The tablet is handed over for this session. Take that back first.")
    length = session.ends_at - session.held_at
    if held_at != session.held_at:
        opening_day.keep_or_move(episode, held_at, length, move=move_opening, by=by)
    session.ends_at = held_at + length
    session.held_at, session.modality, session.attendance = held_at, modality, attendance
    session.save(update_fields=["held_at", "ends_at", "modality", "attendance"])
    number_by_date(episode)
    audit.record(LogEvent.SESSION_CHANGED, session, by=by, client=session.client_code, attendance=attendance)
    conclude(episode=session.episode)
    return session


def session_to_rate(episode: Episode, now: datetime) -> TherapySession | None:
    """Today's earliest session that took place and has no rating yet; None where there is none.

    One that began before midnight and ended after it is today's: a hand-over at ten past twelve, pressed
    twice, must find the session that the first press added.
    """
    day = timezone.localdate(now)
    today = episode.sessions.filter(Q(held_at__date=day) | Q(ends_at__date=day), ratings__isnull=True)
    took_place = today.exclude(attendance__in=[Attendance.CANCELLED, Attendance.DID_NOT_ATTEND])
    return took_place.order_by("held_at").first()


@transaction.atomic
def session_now(*, episode: Episode, by: User, session: TherapySession | None = None) -> TherapySession:
    """`session`, else today's to rate, else a new one that ends now."""
    lock_episode(episode.pk)  # first: two presses at once must find the same session
    now = timezone.now()
    session = session or session_to_rate(episode, now)
    return session or add_session(
        episode=episode, held_at=now - SESSION_LENGTH, attendance=Attendance.ATTENDED, by=by
    )
