"""The one door for answers to a questionnaire: stored and logged once, or held for a person. Nothing disappears."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import scoring
from alliance.models import User
from alliance.operations import metrics
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses import wordings
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.late_marks import note_if_over
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Mode
from sessions_app.courses.responses import Held, QuestionnaireResponse
from sessions_app.questionnaires import risk_answers

HELD_A_GRANT = 10


class TooManyHeld(Exception):
    """Not even held: somebody plays with the form. What came before is kept, and the device keeps this."""


def record_response(
    *,
    grant: RatingGrant,
    answers: Mapping[str, int | None],
    mode: Mode,
    comment: str = "",
    share_comment: bool = False,
    language: str = "",
    by: User | None = None,
    delivery: UUID | None = None,
    claimed_at: datetime | None = None,
    until: datetime | None = None,
) -> QuestionnaireResponse:
    """The stored answers, once only, whatever races; `held` says why they do not count, where they do not.

    The same answers sent again return the row that is stored. `until`: an earlier end than the grant's own, for
    answers that come straight from a form that is open. Raises `scoring.AnswerError` where an answer is not a whole
    number of tenths in its range, and `TooManyHeld`.
    """
    response = _of(grant, language or grant.language, mode, delivery, claimed_at)
    score = scoring.score(response.scored_by, answers)
    response.answers, response.total = score.answers, score.total
    response.comment, response.share_comment = comment, share_comment
    response.sha256 = hash_of_answers(score.answers, comment, share_comment=share_comment)
    return _stored(response, by, until or grant.accept_until)


def keep_unreadable(
    *, grant: RatingGrant, raw: str, delivery: UUID, claimed_at: datetime | None
) -> QuestionnaireResponse:
    """What arrived sealed and cannot be read as answers; a person has to look at it.

    NUL, which PostgreSQL stores in no text, becomes its sign: refused, it would wait on its device for ever.
    """
    response = _of(grant, grant.language, Mode.LINE, delivery, claimed_at)
    response.answers, response.raw = {}, raw.replace("\0", "\u2400")
    response.sha256 = hashlib.sha256(raw.encode()).hexdigest()
    response.held = Held.INVALID
    return _stored(response, None, grant.accept_until)


def _of(
    grant: RatingGrant, language: str, mode: Mode, delivery: UUID | None, claimed_at: datetime | None
) -> QuestionnaireResponse:
    if grant.is_of_the_alliance:
        raise ValueError("This grant is one for the alliance rating of its session.")
    return QuestionnaireResponse(
        grant=grant,
        session=grant.session,
        instrument=grant.instrument,
        instrument_version=grant.instrument_version,
        wording=wordings.translated(grant, language),
        rater=grant.rater,
        rater_label=grant.rater_label,
        promise_id=grant.promise_id,
        language=language,
        mode=mode,
        delivery=delivery,
        claimed_at=claimed_at,
    )


@transaction.atomic
def _stored(response: QuestionnaireResponse, by: User | None, until: datetime) -> QuestionnaireResponse:
    # The lock before every look: every withdrawal and every other delivery waits for it.
    episode = lock_episode(response.session.episode_id)
    of_grant = QuestionnaireResponse.objects.filter(grant=response.grant)
    before: QuestionnaireResponse | None = of_grant.filter(sha256=response.sha256).first()
    is_known = before is not None and response.delivery is not None and before.delivery == response.delivery
    if not is_known and of_grant.exclude(held="").count() >= HELD_A_GRANT:
        # Any other copy could be a guess at the answers.
        metrics.marks_refused(metrics.QUESTIONNAIRE)
        raise TooManyHeld
    if before is not None:
        before.came_before = True
        return before
    response.held = response.held or _why_held(response.grant, until)
    response.save(force_insert=True)
    risk_answers.raise_of(response)
    if not response.held:
        RatingGrant.every.filter(pk=response.grant_id).update(answered_at=response.received_at)
    _note(response, episode, by)
    if response.held:
        metrics.marks_set_aside(metrics.QUESTIONNAIRE)
    else:
        metrics.marks_accepted(metrics.QUESTIONNAIRE, claimed_at=response.claimed_at)
    return response


def _why_held(grant: RatingGrant, until: datetime) -> str:
    now = RatingGrant.every.get(pk=grant.pk)
    if now.withdrawn_at is not None:
        return Held.WITHDRAWN
    if timezone.now() >= min(until, now.accept_until):
        return Held.LATE
    return Held.DISPUTED if now.answered_at is not None else ""


def _note(response: QuestionnaireResponse, episode: Episode, by: User | None) -> None:
    note_if_over(response.session, episode)
    event = LogEvent.QUESTIONNAIRE_HELD if response.held else LogEvent.QUESTIONNAIRE_ANSWERED
    grant = response.grant
    said = {"reason": response.held} if response.held else {"channel": grant.channel, "rater": grant.rater}
    audit.record(event, response, by=by, client=response.client_code, **said)
