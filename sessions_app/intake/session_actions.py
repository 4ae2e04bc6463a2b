"""The writes about sessions: added, changed, found."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Prefetch, Q
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.decisions import Correction
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.lock import lock_episode
from sessions_app.courses.models import (
    SESSION_LENGTH,
    Attendance,
    Modality,
    Rating,
    TherapySession,
)
from sessions_app.flags.conclude import conclude
from sessions_app.intake.replacements import no_marks
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
) -> TherapySession:
    """A session, numbered by its date. Whoever adds one to a closed episode is told so."""
    locked = lock_episode(episode.pk)
    if not locked.is_open:
        raise Refused("This episode is closed. Reopen it to add a session.")
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
    *, session: TherapySession, held_at: datetime, modality: str, attendance: str, by: User
) -> TherapySession:
    episode = lock_episode(session.episode_id)
    if not episode.is_open:
        raise Refused("This episode is closed. Reopen it to change a session.")
    if attendance != Attendance.ATTENDED:
        stands = Rating.objects.standing().filter(session=session).first()
        if stands is not None and stands.total is not None:
            raise Refused(
                "This session has a rating, so it took place. If the marks are not of this session, set them aside."
            )
        if RatingGrant.objects.awaiting(timezone.now()).filter(session=session).exists():
            raise Refused("The tablet is handed over for this session. Take that back first.")
        if stands is not None:
            # A form that came back empty or half filled in: it stays readable, and counts for nothing.
            why = f"The session: {Attendance(attendance).label.lower()}."
            no_marks(stands, by=by, kind=Correction.Kind.TAKEN_OUT, why=why)
    session.ends_at = held_at + (session.ends_at - session.held_at)
    session.held_at, session.modality, session.attendance = held_at, modality, attendance
    session.save(update_fields=["held_at", "ends_at", "modality", "attendance"])
    number_by_date(episode)
    audit.record(LogEvent.SESSION_CHANGED, session, by=by, client=session.client_code, attendance=attendance)
    conclude(episode=session.episode)
    return session


def session_to_rate(episode: Episode, now: datetime) -> TherapySession | None:
    """Today's earliest session that took place and has no marks yet; None where there is none.

    One that began before midnight and ended after it is today's: a hand-over at ten past twelve, pressed
    twice, must find the session that the first press added. A form that came back empty can be asked for again.
    """
    day = timezone.localdate(now)
    today = episode.sessions.filter(Q(held_at__date=day) | Q(ends_at__date=day))
    took_place = today.exclude(attendance__in=[Attendance.CANCELLED, Attendance.DID_NOT_ATTEND])
    standing = Prefetch("ratings", Rating.objects.standing(), to_attr="standing_ratings")
    sessions: list[TherapySession] = list(took_place.order_by("held_at").prefetch_related(standing))
    return next(
        (one for one in sessions if all(rating.is_blank for rating in one.standing_ratings)),
        None,
    )


@transaction.atomic
def session_now(*, episode: Episode, by: User, session: TherapySession | None = None) -> TherapySession:
    """`session`, else today's to rate, else a new one that ends now."""
    lock_episode(episode.pk)  # first: two presses at once must find the same session
    now = timezone.now()
    session = session or session_to_rate(episode, now)
    return session or add_session(
        episode=episode, held_at=now - SESSION_LENGTH, attendance=Attendance.ATTENDED, by=by
    )
