"""A course of many sessions, written at once: through the one door each rating would judge the whole course again."""

import secrets
import uuid
from datetime import timedelta

from django.utils import timezone

from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags.conclude import conclude_many
from tests import cast

WORDS = "We spoke too little about my job."


def long_course(of: Episode, sessions: int, *, words: str = WORDS, words_each: int = 5) -> None:
    """Weekly sessions up to yesterday, every tenth without a rating, every twentieth low, with a comment each fifth."""
    first = cast.therapy_session(of, ago=timedelta(weeks=sessions - 1, days=1))
    pattern = cast.rating(first, 380)
    begins = timezone.now() - timedelta(weeks=sessions - 1, days=1)
    rows = [_session(of, number, begins + timedelta(weeks=number - 1)) for number in range(2, sessions + 1)]
    rated = [row for row in TherapySession.objects.bulk_create(rows) if row.number % 10]
    grants = RatingGrant.objects.bulk_create(_grant(pattern.grant, row) for row in rated)
    Rating.objects.bulk_create(
        _rating(pattern, grant, row, "" if row.number % words_each else words)
        for grant, row in zip(grants, rated, strict=True)
    )
    conclude_many(episodes=[of.pk])


def _session(of: Episode, number: int, held_at) -> TherapySession:
    ends_at = held_at + timedelta(minutes=50)
    return TherapySession(episode=of, number=number, held_at=held_at, ends_at=ends_at, attendance="attended")


def _copy(row, **changed):
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row)(**{**values, "id": None, "code": uuid.uuid4(), **changed})


def _grant(pattern: RatingGrant, session: TherapySession) -> RatingGrant:
    return _copy(
        pattern, session_id=session.pk, token_hash=secrets.token_hex(32), form_key=None, form_set=uuid.uuid4()
    )


def _rating(pattern: Rating, grant: RatingGrant, session: TherapySession, comment: str) -> Rating:
    total = 320 if session.number % 20 == 3 else 370 + session.number * 7 % 30
    return _copy(
        pattern,
        grant_id=grant.pk,
        session_id=session.pk,
        answers=cast.answers(total),
        total=total,
        comment=comment,
        received_at=session.ends_at,
        delivery=None,
    )
