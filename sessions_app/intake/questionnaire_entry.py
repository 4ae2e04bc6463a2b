"""Questionnaires filled in on paper or aloud, entered by the therapist."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.days import day
from alliance.form_keys import key_of_press
from alliance.labels import search_key
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from sessions_app.courses.grants import Channel, Purpose, RatingGrant, RatingGrantQuerySet
from sessions_app.courses.models import Mode, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.paper import PaperForm
from sessions_app.intake.form_sets import refuse_unless_open, withdraw_what_it_replaces
from sessions_app.intake.grants import new_grant, promise_on_paper
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
    label: str = "",
    form_key: UUID | None = None,
) -> QuestionnaireResponse:
    """Answers given on paper or aloud, through the same door as those of a device.

    The same form that is out for this session and rater is withdrawn. Answers of it that are on their way are kept.
    form_key: sent again with the same one, the answers that are stored already.
    """
    session.episode = lock_episode(session.episode_id)
    press = key_of_press(form_key, "on paper", session.pk, paper.instrument.id, search_key(label))
    if made := made_by(press):
        before: QuestionnaireResponse = made.responses.order_by("pk")[0]
        return before
    refuse_unless_open(session)
    risk_confirmations.refuse_unless_confirmed(paper.instrument)
    given = RatingGrant.every.filter(
        session=session, instrument=paper.instrument.id, rater=rater, purpose=Purpose.QUESTIONNAIRE
    )
    key = search_key(label)
    theirs = [pk for pk, other in given.values_list("pk", "rater_label") if search_key(str(other)) == key]
    same = RatingGrant.every.filter(pk__in=theirs)
    _refuse_twice(session, paper, same)
    withdraw_what_it_replaces(same.awaiting(timezone.now()), by)
    grant, _nobodys = new_grant(
        session,
        paper.instrument,
        paper.loaded,
        channel,
        by,
        purpose=Purpose.QUESTIONNAIRE,
        rater=rater,
        rater_label=label,
        promise=promise_on_paper(session, rater),
        language=paper.language,
        form_key=press,
    )
    return record_response(grant=grant, answers=answers, mode=Mode(channel), by=by)


def _refuse_twice(session: TherapySession, paper: PaperForm, same: RatingGrantQuerySet) -> None:
    """The same paper typed in twice would be two points of a course. same: the forms of this very rater."""
    if stored := QuestionnaireResponse.objects.standing().filter(grant__in=same).first():
        raise Refused(
            f"{paper.instrument.name} of session {session.number} is stored already: filled in by the "
            f"{stored.said_by.lower()}, it came {day(stored.received_at, 'j F, H:i')}. Nothing was added."
        )
