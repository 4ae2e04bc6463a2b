"""Two sets of marks that do not count, so that a therapist of the demo has something to decide."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from alliance.measurement import instruments
from clients.models import Episode
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Attendance, Mode, Rating, SetAsideRating
from sessions_app.courses.tokens import hash_of_token
from sessions_app.demo import words
from sessions_app.intake.grants import ACCEPT_FOR, OPEN_FOR

Answers = Mapping[str, int | None]
TAKEN_BACK = {"relationship": 78, "goals": 64, "approach": 81, "overall": 75}


def disputed(episode: Episode) -> None:
    """The client handed in twice, from two tabs: the later marks were lower on one line."""
    rating = Rating.objects.filter(session__episode=episode).latest("session__number")
    lower = {**rating.marks, "goals": max(0, (rating.marks["goals"] or 0) - 23)}
    at = rating.received_at + timedelta(minutes=1)
    _arrived(rating.grant, lower, SetAsideRating.Reason.DISPUTED, at, words.SECOND_THOUGHT)


def withdrawn(episode: Episode) -> None:
    """The hand-over of the last session was taken back, and the client marked the lines all the same."""
    session = episode.sessions.filter(attendance=Attendance.ATTENDED).latest("number")
    grant = RatingGrant.objects.create(
        session=session,
        instrument=instruments.SESSION_RATING,
        instrument_version=instruments.get(instruments.SESSION_RATING).version,
        token_hash=hash_of_token(f"taken back {episode.client.label}"),
        channel=Channel.TABLET,
        made_at=session.ends_at,
        made_by=episode.therapist,
        open_until=session.ends_at + OPEN_FOR,
        accept_until=session.ends_at + ACCEPT_FOR,
        withdrawn_at=session.ends_at + timedelta(minutes=2),
        withdrawn_by=episode.therapist,
    )
    at = session.ends_at + timedelta(minutes=3)
    _arrived(grant, TAKEN_BACK, SetAsideRating.Reason.WITHDRAWN, at)


def _arrived(
    grant: RatingGrant, answers: Answers, reason: SetAsideRating.Reason, at: datetime, comment: str = ""
) -> None:
    SetAsideRating.objects.create(
        grant=grant,
        session=grant.session,
        reason=reason,
        answers=dict(answers),
        comment=comment,
        language="en",
        mode=Mode.LINE,
        sha256=hash_of_answers(answers, comment),
        received_at=at,
    )
