"""A rating that was given in another system, as rows to store many at a time.

The same door as `record_rating`, for what was marked long ago: scored alike, and each with a grant, which never
opened anything. Whoever stores them holds the lock of the episodes and concludes in the same transaction.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from alliance.measurement import instruments, scoring
from alliance.models import User
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Mode, Rating, TherapySession
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.instruments.clinic_wording import ClinicWording


def imported_rating(
    *,
    session: TherapySession,
    instrument: str,
    version: str,
    answers: Mapping[str, int | None],
    total: int | None,
    language: str,
    wording: ClinicWording | None,
    by: User,
    now: datetime,
) -> tuple[RatingGrant, Rating]:
    """A grant and its rating, neither stored. total: where no line is known; lines have their own.

    Raises `scoring.AnswerError` where an answer is not a whole number of tenths in its range.
    """
    score = scoring.score(instruments.get(instrument, version), answers)
    has_lines = any(answer is not None for answer in score.answers.values())
    of_form = {
        "instrument": instrument,
        "instrument_version": version,
        "wording": wording,
        "language": language,
    }
    grant = RatingGrant(
        session=session,
        token_hash=hash_of_token(new_token()),
        channel=Channel.IMPORTED,
        made_at=now,
        made_by=by,
        open_until=now,
        accept_until=now,
        **of_form,
    )
    rating = Rating(
        grant=grant,
        session=session,
        answers=score.answers,
        total=score.total if has_lines else total,
        mode=Mode.IMPORTED,
        received_at=now,
        sha256=hash_of_answers(score.answers, "") if has_lines else _hash_of_total(total),
        **of_form,
    )
    return grant, rating


def _hash_of_total(total: int | None) -> str:
    return hashlib.sha256(json.dumps({"total": total}).encode()).hexdigest()
