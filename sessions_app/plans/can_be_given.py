"""Whether a form can be given today, and why not: licence and wording, and what is confirmed of risk items."""

from collections.abc import Iterable
from datetime import date

from alliance.measurement.instruments import Instrument
from sessions_app.instruments import offers
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.questionnaires import risk_confirmations


def obstacle(instrument: Instrument, today: date) -> str:
    """Why it cannot be given on a device today, as a sentence; empty where it can."""
    return risk_confirmations.not_confirmed(instrument) or offers.obstacle(instrument, today)


def in_invented_words() -> set[str]:
    """The instruments whose words here are nobody's, for a try-out; one query."""
    return set(ClinicWording.objects.switched_on().invented().values_list("instrument", flat=True))


def obstacles(offered: Iterable[Instrument], today: date) -> dict[str, str]:
    """{instrument: the same} for all of them; it asks only about those for which the clinic has brought something."""
    licensed, loaded = (
        rows.objects.order_by().values_list("instrument") for rows in (Licence, ClinicWording)
    )
    brought = licensed.union(loaded)
    begun = {instrument for (instrument,) in brought}

    def of(one: Instrument) -> str:
        is_untouched = one.licence == "licensed" and begun.isdisjoint({one.id, one.form_of})
        if is_untouched and not (one.wordings or one.paper_only):
            return risk_confirmations.not_confirmed(one) or offers.without_licence(one, None)
        return obstacle(one, today)

    return {one.id: of(one) for one in offered}
