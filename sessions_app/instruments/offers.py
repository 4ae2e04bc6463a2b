"""Which form a client is given and in which words: the clinic's choice, its licences, what is switched on.

Our own wording comes with the instrument. That of a licensed instrument is the clinic's (`ClinicWording`);
what a form was handed over with stays with the grant, whatever is switched off or runs out afterwards.
"""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Max
from django.utils.formats import date_format

from alliance.measurement.instruments import Instrument, Wording
from alliance.refused import Refused
from sessions_app.instruments import client_form
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.nearest_language import nearest


@dataclass(frozen=True)
class Offer:
    """What a client would be given: an instrument in one language. wording None: the one that we ship."""

    instrument: Instrument
    language: str
    wording: ClinicWording | None

    @property
    def language_name(self) -> str:
        return str(dict(settings.LANGUAGES).get(self.language, self.language))

    def __str__(self) -> str:
        return str(self.wording or self.instrument.name)


def offer(instrument: Instrument, language: str, today: date) -> Offer:
    """What a client who reads `language` is given on a device today. Refused where nothing can be."""
    if not instrument.licensed:
        return Offer(instrument, nearest(client_form.in_force().of(instrument), language), None)
    if refusal := obstacle(instrument, today):
        raise Refused(f"{refusal} Enter the marks from paper, or ask your administrator.")
    wording = _on(instrument, language)
    assert wording is not None  # else that had been the obstacle
    return Offer(instrument, wording.language, wording)


def obstacle(instrument: Instrument, today: date) -> str:
    """Why an instrument cannot be given on a device today, as a sentence; empty where it can."""
    if not instrument.licensed:
        return ""
    if instrument.paper_only:
        return f"{instrument.name} is entered from paper only: {instrument.paper_only}."
    licences = Licence.objects.filter(instrument=instrument.id).electronic()
    if not licences.standing(today).exists():
        past = licences.filter(ended_at__isnull=True, valid_to__lt=today)
        return _without_licence(instrument, past.aggregate(last=Max("valid_to"))["last"])
    if not ClinicWording.objects.of(instrument).switched_on().exists():
        return f"No wording of {instrument.name} is switched on."
    return ""


def _without_licence(instrument: Instrument, last_day: date | None) -> str:
    if last_day is None:
        return f"No licence to use {instrument.name} on screens is on record."
    return f"The licence for {instrument.name} ended on {date_format(last_day, 'j F Y')}."


def on_paper(instrument: Instrument, language: str) -> ClinicWording | None:
    """The edition of a form on paper: the one that is switched on, as far as anybody can know."""
    return _on(instrument, language) if instrument.licensed else None


def _on(instrument: Instrument, language: str) -> ClinicWording | None:
    rows = {row.language: row for row in ClinicWording.objects.of(instrument).switched_on()}
    return rows[nearest(rows, language)] if rows else None


def wording_of(instrument: Instrument, language: str) -> Wording:
    """The wording we ship in this language; in English where there is none, and then the page says so in `lang`."""
    return instrument.wordings[nearest(instrument.wordings, language)]
