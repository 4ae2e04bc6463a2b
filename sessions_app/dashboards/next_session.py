"""When therapist and client meet next."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from clients.models import Episode
from sessions_app.courses.models import Attendance, Rating, TherapySession


def next_session(episode: Episode, now: datetime) -> TherapySession | None:
    """The session that is on now and not rated yet, else the next planned one; one query."""
    to_come = TherapySession.objects.filter(
        episode=episode,
        ends_at__gt=now,
        attendance__in=[Attendance.PLANNED, Attendance.ATTENDED],
    ).exclude(Exists(Rating.objects.standing().filter(session=OuterRef("pk"))))
    return to_come.order_by("held_at").first()
