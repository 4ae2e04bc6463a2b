"""What is refused about a session that was voided."""

from alliance.refused import Refused
from sessions_app.courses.models import TherapySession


def refuse_if_voided(session: TherapySession) -> None:
    """Look at the row as it is now: the caller holds the lock of the episode."""
    session.refresh_from_db(fields=["voided_at"])
    if session.is_voided:
        raise Refused(
            "This session was voided. Put it back first, on the client's page under Voided sessions."
        )
