"""Forms that were given and filled in: unsaved rows, as the actions would have made them, each at its time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import models

from alliance.measurement import instruments, scoring
from alliance.measurement.instruments import Instrument
from sessions_app.courses.grants import Channel, Purpose, RatingGrant
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Mode, Rating, TherapySession
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.courses.tokens import hash_of_token
from sessions_app.intake.grants import ACCEPT_FOR, OPEN_FOR

Answers = Mapping[str, int | None]
MINUTE = timedelta(minutes=1)


def grant(
    session: TherapySession,
    form: Instrument,
    rng: Random,
    made_at: datetime,
    *,
    channel: Channel = Channel.TABLET,
    **more: Any,
) -> RatingGrant:
    """Given by the client's therapist."""
    return RatingGrant(
        session=session,
        instrument=form.id,
        instrument_version=form.version,
        token_hash=hash_of_token(rng.randbytes(32).hex()),
        channel=channel,
        made_at=made_at,
        made_by=session.episode.therapist,
        open_until=made_at + OPEN_FOR,
        accept_until=made_at + ACCEPT_FOR,
        **more,
    )


def rating(
    given: RatingGrant, answers: Answers, at: datetime, *, mode: Mode = Mode.LINE, **more: Any
) -> Rating:
    score = scoring.score(instruments.get(given.instrument), answers)
    comment = more.get("comment", "")
    return Rating(
        grant=given,
        session=given.session,
        instrument=given.instrument,
        instrument_version=given.instrument_version,
        answers=score.answers,
        total=score.total,
        language="en",
        mode=mode,
        received_at=at,
        sha256=hash_of_answers(score.answers, comment),
        **more,
    )


def response(given: RatingGrant, form: Instrument, answers: Answers, at: datetime) -> QuestionnaireResponse:
    """form: what scores them. The grant becomes answered, and is saved by the caller."""
    score = scoring.score(form, answers)
    given.purpose, given.answered_at = Purpose.QUESTIONNAIRE, at
    return QuestionnaireResponse(
        grant=given,
        session=given.session,
        instrument=given.instrument,
        instrument_version=given.instrument_version,
        wording=given.wording,
        rater=given.rater,
        rater_label=given.rater_label,
        answers=score.answers,
        total=score.total,
        language="en",
        mode=Mode.LINE,
        received_at=at,
        sha256=hash_of_answers(score.answers, ""),
    )


def store(rows: list[Rating] | list[QuestionnaireResponse]) -> None:
    """Their grants, and then themselves."""
    RatingGrant.every.bulk_create([row.grant for row in rows], batch_size=500)
    if rows:
        manager: models.Manager[Any] = type(rows[0])._default_manager
        manager.bulk_create(rows, batch_size=500)
