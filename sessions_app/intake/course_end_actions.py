"""What becomes of sessions and forms where an episode ends, and its undo. `clients` ends the episode itself."""

from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from clients.lock import lock_episode
from clients.models import EpisodeClosing
from sessions_app.courses.grants import SENT, RatingGrant
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.flags.conclude import conclude
from sessions_app.intake import form_sets


@transaction.atomic
def end_course(*, closing: EpisodeClosing, day: date, by: User) -> None:
    """Cancel what was planned after `day`, take back forms that nobody opened; noted in `closing`.

    A form that somebody may be marking stays good until its time: the rating of the last session is not lost
    because its therapist closed the episode before the tablet was back.
    """
    episode, now = closing.episode, timezone.now()
    lock_episode(episode.pk)
    after = Q(held_at__date__gt=day) | Q(held_at__gt=now)
    planned = TherapySession.objects.filter(after, episode=episode, attendance=Attendance.PLANNED)
    for session in planned.order_by("number"):
        _attendance(session, Attendance.CANCELLED, by)
        closing.cancelled.append(str(session.code))
    out = RatingGrant.every.awaiting(now).filter(session__episode=episode)
    unopened = out.filter(channel__in=SENT, opened_at__isnull=True, place_in_set=0)
    unopened = form_sets.out_together(unopened)
    for grant in unopened.select_related("session__episode__client"):
        RatingGrant.every.filter(pk=grant.pk).update(withdrawn_at=now, withdrawn_by=by)
        audit.record(LogEvent.HAND_OVER_TAKEN_BACK, grant, by=by, client=grant.client_code)
        closing.forms_taken_back += 1
    left = list(out.values_list("accept_until", flat=True))
    closing.forms_left_out, closing.accepted_until = len(left), max(left, default=None)
    conclude(episode=episode)


@transaction.atomic
def take_up_course(*, closing: EpisodeClosing, by: User) -> None:
    """Undo of `end_course`: what it cancelled and is still to come is planned again. A form taken back stays so."""
    lock_episode(closing.episode_id)
    cancelled = TherapySession.objects.filter(
        episode=closing.episode_id,
        code__in=closing.cancelled,
        attendance=Attendance.CANCELLED,
        held_at__gt=timezone.now(),
    )
    for session in cancelled.order_by("number"):
        _attendance(session, Attendance.PLANNED, by)
    conclude(episode=closing.episode)


def _attendance(session: TherapySession, attendance: Attendance, by: User) -> None:
    session.attendance = attendance
    session.save(update_fields=["attendance"])
    audit.record(LogEvent.SESSION_CHANGED, session, by=by, client=session.client_code, attendance=attendance)
