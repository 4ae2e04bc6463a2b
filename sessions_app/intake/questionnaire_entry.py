"""Questionnaires filled in on paper or aloud, entered by the therapist."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.days import day
from alliance.form_keys import key_of_press
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from sessions_app.courses.grants import Channel, Purpose, RatingGrant
from sessions_app.courses.models import Mode, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.paper import PaperForm
from sessions_app.intake.form_sets import refuse_unless_open, withdraw_what_it_replaces
from sessions_app.intake.grants import new_grant
from sessions_app.intake.hand_over_actions import made_by
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.record_response import record_response


@transaction.atomic
def enter_response(
    *,
    session: TherapySession,
    paper: PaperForm,
    answers: Mapping[str, int | None],
    rater: Rater,
    channel: Channel,
    by: User,
    form_key: UUID | None = None,
) -> QuestionnaireResponse:
    """Answers given on paper or aloud, through the same door as those of a device.

    The same form that is out for this session and rater is withdrawn. Answers of it that are on their way are kept.
    form_key: sent again with the same one, the answers that are stored already.
    """
    session.episode = lock_episode(session.episode_id)
    press = key_of_press(form_key, "on paper", session.pk, paper.instrument.id)
    if made := made_by(press):
        before: QuestionnaireResponse = made.responses.order_by("pk")[0]
        return before
    refuse_unless_open(session)
    risk_confirmations.refuse_unless_confirmed(paper.instrument)
    same = RatingGrant.every.awaiting(timezone.now()).filter(
        session=session, instrument=paper.instrument.id, rater=rater, purpose=Purpose.QUESTIONNAIRE
    )
    _refuse_twice(session, paper, rater)
    withdraw_what_it_replaces(same, by)
    grant, _nobodys = new_grant(
        session,
        paper.instrument,
        paper.loaded,
        channel,
        by,
        purpose=Purpose.QUESTIONNAIRE,
        rater=rater,
        language=paper.language,
        form_key=press,
    )
    return record_response(grant=grant, answers=answers, mode=Mode(channel), by=by)


def _refuse_twice(session: TherapySession, paper: PaperForm, rater: Rater) -> None:
    """The same paper typed in twice would be two points of a course."""
    standing = QuestionnaireResponse.objects.standing().filter(
        session=session, instrument=paper.instrument.id, rater=rater
    )
    if stored := standing.first():
        raise Refused(
            f"{paper.instrument.name} of session {session.number} is stored already: filled in by the "
            f"{rater.label.lower()}, it came {day(stored.received_at, 'j F, H:i')}. Nothing was added."
        )
