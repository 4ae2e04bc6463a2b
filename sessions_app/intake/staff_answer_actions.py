"""Questionnaires that staff fill in: the therapist's own, and those that others answered on paper."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.form_keys import key_of_press
from alliance.labels import search_key
from alliance.measurement.instruments import Instrument
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from sessions_app.courses.grants import Channel, Purpose
from sessions_app.courses.models import Mode, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments import offers
from sessions_app.instruments.offers import Offer
from sessions_app.instruments.promises import Promise
from sessions_app.intake.form_sets import refuse_unless_open
from sessions_app.intake.grants import new_grant, promise_on_paper
from sessions_app.intake.hand_over_actions import made_by
from sessions_app.questionnaires import decision_actions
from sessions_app.questionnaires.record_response import record_response

MEANWHILE = "Other answers stand for this form than when you looked. Look at them below, then decide."
NOTHING_NEW = "These are the answers that stand already."
SAY_WHY = "Say in one line why these take the place of the answers that stand."


@transaction.atomic
def enter_response(
    *,
    session: TherapySession,
    instrument: Instrument,
    rater: Rater,
    answers: Mapping[str, int | None],
    by: User,
    label: str = "",
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
    press = key_of_press(form_key, "staff form", session.pk)
    if (made := made_by(press)) and (known := made.responses.first()):
        return known
    refuse_unless_open(session)
    stands = standing(session, instrument, rater, label)
    if seen != (stands.code if stands else None):
        raise Refused(MEANWHILE)
    if stands and answers == stands.marks and comment == stands.comment:
        raise Refused(NOTHING_NEW)
    if stands and not why:
        raise Refused(SAY_WHY)
    is_own = rater == Rater.THERAPIST
    words = words_for(instrument, rater, session.episode.client.language)
    grant, _nobodys = new_grant(
        session,
        instrument,
        words.wording,
        Channel.SCREEN if is_own else Channel.PAPER,
        by,
        purpose=Purpose.QUESTIONNAIRE,
        rater=rater,
        rater_label=label,
        form_key=press,
        language=words.language,
        promise=Promise.objects.in_force(rater) if is_own else promise_on_paper(session, rater),
    )
    response = record_response(
        grant=grant,
        answers=answers,
        mode=Mode.NUMBER if is_own else Mode.PAPER,
        comment=comment,
        share_comment=share_comment,
        by=by,
    )
    if stands:
        decision_actions.decide(response=stands, counts=False, why=why, by=by)
    return response


def words_for(instrument: Instrument, rater: Rater, language: str) -> Offer:
    """In which words it is answered: a therapist reads English, as all pages of staff are; others read `language`."""
    if rater == Rater.THERAPIST:
        return offers.offer(instrument, "en", timezone.localdate())
    wording = offers.on_paper(instrument, language)
    return Offer(instrument, wording.language if wording else language, wording)


def standing(
    session: TherapySession, instrument: Instrument, rater: Rater, label: str = ""
) -> QuestionnaireResponse | None:
    """The answers of this rater to this form at this session that count; the newest, where several do."""
    rows = QuestionnaireResponse.objects.standing().filter(
        session=session, instrument=instrument.id, rater=rater
    )
    key = search_key(label)
    found = [row for row in rows.order_by("pk") if search_key(row.rater_label) == key]
    return found[-1] if found else None
