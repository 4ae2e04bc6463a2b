"""Which door marks go through: that of the alliance rating of a session, or that of a questionnaire."""

from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.intake import record_rating
from sessions_app.intake.record_rating import NotStored, TooManySetAside
from sessions_app.questionnaires import record_response
from sessions_app.questionnaires.record_response import TooManyHeld


def record(*, grant: RatingGrant, **marks: Any) -> Rating | QuestionnaireResponse:
    """What was stored of these marks, which count; `marks`: as for `record_rating`.

    Raises `NotStored` where they are kept for a person to look at, and `TooManySetAside`.
    """
    if grant.is_of_the_alliance:
        return record_rating.record_rating(grant=grant, **marks)
    try:
        return _counting(record_response.record_response(grant=grant, **marks))
    except TooManyHeld as error:
        raise TooManySetAside from error


def keep_invalid(*, grant: RatingGrant, raw: str, delivery: UUID, claimed_at: datetime | None) -> NoReturn:
    """Keep what cannot be read as marks. Raises `NotStored`, or `TooManySetAside`."""
    came = {"raw": raw, "delivery": delivery, "claimed_at": claimed_at}
    if grant.is_of_the_alliance:
        record_rating.keep_invalid(grant=grant, **came)  # type: ignore[arg-type]
    try:
        kept = record_response.keep_unreadable(grant=grant, **came)  # type: ignore[arg-type]
    except TooManyHeld as error:
        raise TooManySetAside from error
    raise NotStored(SetAsideRating.Reason(kept.held), kept.sha256)


def _counting(response: QuestionnaireResponse) -> QuestionnaireResponse:
    if response.held:
        raise NotStored(SetAsideRating.Reason(response.held), response.sha256)
    return response
