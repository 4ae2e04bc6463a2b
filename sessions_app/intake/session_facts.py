"""What the pages about one session say of it, before it is changed or voided."""

from datetime import datetime, timedelta
from typing import Any

from alliance.days import day
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession

MINUTE = timedelta(minutes=1)


def as_stored(session: TherapySession) -> dict[str, Any]:
    """What a session says, by the names of its form."""
    return {
        "held_at": session.held_at,
        "minutes": (session.ends_at - session.held_at) // MINUTE,
        "modality": session.modality,
        "attendance": session.attendance,
    }


def would_count_nowhere(session: TherapySession) -> dict[str, str]:
    """What the page says of a session before it is voided: another day or marks that came are another question."""
    stands = Rating.objects.standing().filter(session=session).first()
    return {
        "Held": day(session.held_at, "j F, H:i"),
        "Attendance": session.get_attendance_display(),
        "Marks": "none"
        if stands is None or stands.is_blank
        else f"came on {day(stands.received_at, 'j F, H:i')}",
    }


def given_at(session: TherapySession) -> datetime | None:
    """When the client was given the first form for this session in the room."""
    given = RatingGrant.every.given_in_the_room().filter(session=session)
    first: datetime | None = given.order_by("made_at").values_list("made_at", flat=True).first()
    return first
