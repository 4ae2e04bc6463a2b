"""Where to find help now, as a client reads it: the clinic’s words, and those of a form that asks about self-harm."""

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from sessions_app.courses.grants import RatingGrant
from sessions_app.instruments.client_form import ClientForm, UrgentHelp
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.risk_answers import RiskAnswer


def on_the_form(instrument: Instrument, language: str, chosen: ClientForm) -> UrgentHelp | None:
    """The sentence of a form that asks about self-harm, which is not folded away; else the clinic's general words."""
    return risk_confirmations.sentence_for(instrument, language) or chosen.urgent_help(language)


def answered(grant: RatingGrant) -> str:
    """The instrument whose sentence is shown under the thanks: one was answered so in this set; empty where none was.

    No query where the set is one form without such a question.
    """
    if grant.place_in_set == 0 and not _of(grant).risk_items:
        return ""
    found = RiskAnswer.objects.filter(response__grant__form_set=grant.form_set).select_related("response")
    first = found.order_by("pk").first()
    return first.response.instrument if first else ""


def sentence_of(instrument_id: str, language: str) -> UrgentHelp | None:
    """instrument_id: as `answered` told; empty for none."""
    if not instrument_id:
        return None
    return risk_confirmations.sentence_for(instruments.get(instrument_id), language)


def _of(grant: RatingGrant) -> Instrument:
    return instruments.get(grant.instrument, grant.instrument_version)
