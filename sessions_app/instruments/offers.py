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
from sessions_app.instruments import client_form, packs
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
    if refusal := obstacle(instrument, today):
        raise Refused(f"{refusal} Enter the marks from paper, or ask your administrator.")
    loaded = _switched_on(instrument) if instrument.licence != "ours" else {}
    shipped = client_form.in_force().of(instrument) if instrument.wordings else []
    tag = nearest({*loaded, *shipped}, language)
    return Offer(instrument, tag, loaded.get(tag))


def obstacle(instrument: Instrument, today: date) -> str:
    """Why an instrument cannot be given on a device today, as a sentence; empty where it can."""
    if instrument.wordings:
        return ""
    if instrument.paper_only:
        return f"{instrument.name} is entered from paper only: {instrument.paper_only}."
    if refusal := not_permitted(instrument, today):
        return refusal
    if not ClinicWording.objects.of(instrument).switched_on().exists():
        return f"No wording of {instrument.name} is switched on."
    return ""


def not_permitted(instrument: Instrument, today: date) -> str:
    """Why its owner's words may not be shown on a screen today, as a sentence; empty where they may."""
    if instrument.licence == "pack":
        return "" if packs.is_on(instrument) else f"The pack of {instrument.name} is not switched on."
    if instrument.licence != "licensed":
        return ""
    licences = Licence.objects.of(instrument).electronic()
    if licences.standing(today).exists():
        return ""
    past = licences.filter(ended_at__isnull=True, valid_to__lt=today)
    return without_licence(instrument, past.aggregate(last=Max("valid_to"))["last"])


def without_licence(instrument: Instrument, last_day: date | None) -> str:
    """The sentence of an instrument that has no licence, or had one to this day."""
    if last_day is None:
        return f"No licence to use {instrument.name} on screens is on record."
    return f"The licence for {instrument.name} ended on {date_format(last_day, 'j F Y')}."


def on_paper(instrument: Instrument, language: str) -> ClinicWording | None:
    """The edition of a form on paper: the one that is switched on, as far as anybody can know."""
    if instrument.licence == "ours":
        return None
    loaded = _switched_on(instrument)
    if language not in loaded and instrument.wordings:
        return None  # ours to show
    return loaded[nearest(loaded, language)] if loaded else None


def _switched_on(instrument: Instrument) -> dict[str, ClinicWording]:
    """The wordings of the clinic that are switched on, by language."""
    return {row.language: row for row in ClinicWording.objects.of(instrument).switched_on()}


def wording_of(instrument: Instrument, language: str) -> Wording:
    """The wording we ship in this language; in English where there is none, and then the page says so in `lang`."""
    return instrument.wordings[nearest(instrument.wordings, language)]
