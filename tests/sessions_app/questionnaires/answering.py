"""Questionnaires as somebody answers them: through a grant and the one door."""

from django.utils import timezone

from alliance.measurement import instruments
from sessions_app.courses.models import Mode
from sessions_app.courses.raters import Rater
from sessions_app.instruments import paper
from sessions_app.intake import hand_over_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.record_response import record_response

SENTENCE = "Call 000 at any hour (invented)."


def given(session, instrument, rater=Rater.CLIENT, *, by=None):
    """The grant for this questionnaire alone."""
    forms = Forms(rating=False, questionnaires=(ToFillIn(instruments.get(instrument), rater),))
    grant, _ = hand_over_actions.hand_over(session=session, by=by or session.episode.therapist, forms=forms)
    return grant


def answer(session, instrument, answers, rater=Rater.CLIENT, **of):
    """What was stored of these answers, {item: tenths}."""
    grant = of.pop("grant", None) or given(session, instrument, rater)
    return record_response(grant=grant, answers=answers, mode=Mode.LINE, **of)


def life(session, total, **of):
    """Our own four life lines, as even as can be; `total` in tenths."""
    lines = [item.id for item in instruments.get("life-lines").items]
    spread = [total // 4 + (1 if place < total % 4 else 0) for place in range(4)]
    return answer(session, "life-lines", dict(zip(lines, spread, strict=True)), **of)


def phq(session, each=0, *, ninth=None, instrument="phq-9", **of):
    """Answers that are all the same, in tenths; `ninth`: of the question about self-harm."""
    answers = {item.id: each for item in instruments.get(instrument).items}
    if instrument == "phq-9":
        answers["item-9"] = each if ninth is None else ninth
    return answer(session, instrument, answers, **of)


def confirm(instrument="phq-9", *, looks, by, **of):
    """That an administrator read what the site does about risk items, and named who looks."""
    return risk_confirmations.confirm(
        **{
            "instrument": instruments.get(instrument),
            "text_version": risk_confirmations.TEXT_VERSION,
            "sentences": {"en": SENTENCE},
            "looks_when_away": looks,
            "by": by,
            **of,
        }
    )


def on_paper(name):
    """A questionnaire as it is typed in from paper today, in English."""
    forms = paper.paper_forms("en", timezone.localdate())
    return next(form for form in forms if form.instrument.id == name)
