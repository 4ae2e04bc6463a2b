"""Which questionnaires a clinic may use on paper, and in which words it prints them."""

from dataclasses import dataclass
from datetime import date

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, Wording
from sessions_app.instruments.clinic_wording import ClinicWording, Licence, Medium, scored_by
from sessions_app.instruments.nearest_language import nearest
from sessions_app.instruments.packs import InstrumentPack


@dataclass(frozen=True)
class PaperForm:
    """A questionnaire as it is filled in on paper. loaded: None where the words are those that come with the site.

    can_be_printed: whether its owner's words may be put on paper from here; else the clinic has its own copies.
    """

    instrument: Instrument
    language: str
    loaded: ClinicWording | None
    can_be_printed: bool

    @property
    def name(self) -> str:
        return str(self.loaded or self.instrument.name)

    @property
    def scored(self) -> Instrument:
        return scored_by(self.instrument.id, self.instrument.version, self.loaded)

    @property
    def wording(self) -> Wording | None:
        """None where the words are on the clinic's paper alone."""
        return self.loaded.wording if self.loaded else self.instrument.wordings.get(self.language)


def paper_forms(language: str, today: date) -> list[PaperForm]:
    """Every questionnaire that may be used on paper today, for a client who reads `language`; three queries."""
    loaded: dict[str, dict[str, ClinicWording]] = {}
    for row in ClinicWording.objects.switched_on():
        loaded.setdefault(row.instrument, {})[row.language] = row
    media = dict(Licence.objects.standing(today).order_by("pk").values_list("instrument", "medium"))
    packs = set(InstrumentPack.objects.standing().values_list("instrument", flat=True))
    found = []
    for instrument in instruments.questionnaires():
        of_it = {tag: row for tag, row in loaded.get(instrument.id, {}).items() if _is_of(row, instrument)}
        medium = media.get(instrument.id) or media.get(instrument.form_of)
        if _may_be_used(instrument, medium, packs) and (of_it or not instrument.to_state):
            found.append(_form(instrument, of_it, language, medium))
    return found


def _is_of(row: ClinicWording, instrument: Instrument) -> bool:
    return row.instrument_version == instrument.version


def _may_be_used(instrument: Instrument, medium: str | None, packs: set[str]) -> bool:
    if instrument.licence == "licensed":
        return medium is not None
    return instrument.licence != "pack" or instrument.id in packs


def _form(
    instrument: Instrument, loaded: dict[str, ClinicWording], language: str, medium: str | None
) -> PaperForm:
    tags = {*loaded, *instrument.wordings}
    tag = nearest(tags, language) if tags else language
    is_allowed = instrument.licence != "licensed" or medium != Medium.ELECTRONIC
    return PaperForm(instrument, tag, loaded.get(tag), bool(tags) and is_allowed)
