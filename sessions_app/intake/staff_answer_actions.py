"""What a therapist answers to a questionnaire of their own, on their own screen."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.form_keys import key_of_press
from alliance.measurement.instruments import Instrument
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from sessions_app.courses.grants import Channel, Purpose, RatingGrant
from sessions_app.courses.models import Mode, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments import offers
from sessions_app.intake.form_sets import refuse_unless_open
from sessions_app.intake.grants import new_grant
from sessions_app.intake.hand_over_actions import made_by
from sessions_app.questionnaires import decision_actions, risk_confirmations
from sessions_app.questionnaires.record_response import record_response

MEANWHILE = "Other answers stand for this form than when you looked. Look at them below, then decide."
NOTHING_NEW = "These are the answers that stand already."
SAY_WHY = "Say in one line why these take the place of the answers that stand."
READ_IN = "en"  # as all pages of staff


@transaction.atomic
def answer_own_form(
    *,
    session: TherapySession,
    instrument: Instrument,
    answers: Mapping[str, int | None],
    by: User,
    comment: str = "",
    share_comment: bool = False,
    why: str = "",
    seen: UUID | None = None,
    form_key: UUID | None = None,
) -> QuestionnaireResponse:
    """The stored answers. What stood before them stays, and does not count any more.

    seen: the answers that stood when the page was drawn. why: needed where there are some.
    form_key: sent again with the same one, the answers that are stored already.
    """
    session.episode = lock_episode(session.episode_id)
    press = key_of_press(form_key, "own form", session.pk, instrument.id)
    if (made := made_by(press)) and (known := made.responses.first()):
        return known
    refuse_unless_open(session)
    risk_confirmations.refuse_unless_confirmed(instrument)
    stands = standing(session, instrument)
    if seen != (stands.code if stands else None):
        raise Refused(MEANWHILE)
    if stands and answers == stands.marks and comment == stands.comment:
        raise Refused(NOTHING_NEW)
    if stands and not why:
        raise Refused(SAY_WHY)
    offer = offers.offer(instrument, READ_IN, timezone.localdate())
    grant, _nobodys = new_grant(
        session,
        instrument,
        offer.wording,
        Channel.SCREEN,
        by,
        purpose=Purpose.QUESTIONNAIRE,
        rater=Rater.THERAPIST,
        form_key=press,
        language=offer.language,
    )
    response = record_response(
        grant=grant,
        answers=answers,
        mode=Mode.NUMBER,
        comment=comment,
        share_comment=share_comment,
        by=by,
    )
    _withdraw_what_is_out(session, instrument, by)
    if stands:
        decision_actions.decide(response=stands, counts=False, why=why, by=by)
    return response


def _withdraw_what_is_out(session: TherapySession, instrument: Instrument, by: User) -> None:
    """A form that the therapist was to fill in on another device: it is answered."""
    now = timezone.now()
    out = RatingGrant.every.awaiting(now).filter(
        session=session, instrument=instrument.id, rater=Rater.THERAPIST, purpose=Purpose.QUESTIONNAIRE
    )
    out.update(withdrawn_at=now, withdrawn_by=by)


def standing(session: TherapySession, instrument: Instrument) -> QuestionnaireResponse | None:
    """The therapist's answers to this form at this session that count; the newest, where several do."""
    rows = QuestionnaireResponse.objects.standing().filter(
        session=session, instrument=instrument.id, rater=Rater.THERAPIST
    )
    found: QuestionnaireResponse | None = rows.order_by("-pk").first()
    return found
