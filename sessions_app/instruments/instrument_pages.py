"""The instruments as the administrator sees them: what is loaded, what is licensed, what can be given today."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.measurement import instruments, stated_parts
from alliance.measurement.instruments import Instrument
from alliance.measurement.wording_file import cannot_be_loaded
from alliance.models import AuditEvent
from clients import access_log
from sessions_app.instruments import client_form, offers, packs
from sessions_app.instruments.client_form import ClientForm
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.missing_answers import rule_in_words
from sessions_app.instruments.packs import Folder, InstrumentPack

HISTORY = ("clinicwording", "licence", "clinicsettings", "instrumentpack")
LINES_OF_HISTORY = 50


@dataclass(frozen=True)
class Scale:
    """One instrument. `obstacle`: why it cannot be given on a device today; empty where it can."""

    instrument: Instrument
    is_chosen: bool
    obstacle: str
    languages: str  # in which it can be given
    not_signed_off: str  # those of them whose shipped wording no clinician has signed off
    may_load: bool
    wordings: list[ClinicWording]
    licences: list[Licence]
    forms: str  # which forms for other raters there are

    @property
    def is_begun(self) -> bool:
        """Whether the clinic has brought something for it."""
        return bool(self.wordings or self.licences)

    @property
    def needs_licence(self) -> bool:
        return self.instrument.licence == "licensed"

    @property
    def facts(self) -> list[tuple[str, str]]:
        return facts(self.instrument)


@dataclass(frozen=True)
class Group:
    """Questionnaires of one kind that the clinic has brought nothing for."""

    title: str
    scales: list[Scale]


@dataclass(frozen=True)
class Page:
    """sessions: what a client can mark after a session. begun: questionnaires the clinic brought something for."""

    sessions: list[Scale]
    begun: list[Scale]
    groups: list[Group]
    packs: list[InstrumentPack]
    folders: list[Folder]

    @property
    def folded(self) -> int:
        return sum(len(group.scales) for group in self.groups)


def build(today: date) -> Page:
    """Every instrument; a fixed number of queries, however much is loaded."""
    loaded, licences = defaultdict(list), defaultdict(list)
    for wording in ClinicWording.objects.select_related("loaded_by", "switched_on_by"):
        loaded[wording.instrument].append(wording)
    for licence in Licence.objects.select_related("accepted_by", "ended_by"):
        licences[licence.instrument].append(licence)
    now = ClinicSettings.objects.in_force()
    chosen = client_form.read(now.languages, now.urgent_help)
    scales = [
        Scale(
            instrument=one,
            is_chosen=one.id == now.instrument,
            obstacle=_obstacle(one, loaded[one.id], licences[one.form_of], today),
            languages=", ".join(client_form.NAMES[tag] for tag in _languages(one, loaded[one.id], chosen)),
            not_signed_off=", ".join(_not_signed_off(one, loaded[one.id], chosen)),
            may_load=not cannot_be_loaded(one),
            wordings=loaded[one.id],
            licences=licences[one.id],
            forms=", ".join(other.name for other in instruments.forms_of(one) if other != one),
        )
        for one in instruments.newest()
    ]
    questionnaires = [one for one in scales if one.instrument.use == "questionnaire"]
    rest = [one for one in questionnaires if not one.is_begun]
    kinds = (("The alliance", False), ("How the client is doing", True))
    return Page(
        sessions=[one for one in scales if one.instrument.use == "session_alliance"],
        begun=[one for one in questionnaires if one.is_begun],
        groups=[
            Group(title, [one for one in rest if one.instrument.companion == companion])
            for title, companion in kinds
        ],
        packs=list(InstrumentPack.objects.select_related("accepted_by", "ended_by")),
        folders=packs.folders(),
    )


def _obstacle(
    instrument: Instrument, loaded: list[ClinicWording], licences: list[Licence], today: date
) -> str:
    """As `offers.obstacle`, from rows that are here already where nothing was brought: that is what most have."""
    if instrument.licence == "licensed" and not instrument.paper_only and not loaded and not licences:
        return offers.without_licence(instrument, None)
    return offers.obstacle(instrument, today)


def facts(instrument: Instrument) -> list[tuple[str, str]]:
    """What the site knows of an instrument, each with its source, as pairs of a name and a value."""
    said = [
        ("Filled in by", ", ".join(instrument.raters)),
        ("Ages", instrument.ages),
        ("Asks about", instrument.recall or "this session"),
        ("Good end", GOOD_END[instrument.direction]),
        ("Time", f"about {instrument.minutes} {'minute' if instrument.minutes == 1 else 'minutes'}"),
        *stated_parts.in_words(instrument),
        ("Score", SCORE[instrument.score_method] if instrument.has_total else "subscales only, no total"),
        ("Cutoff", instrument.cutoff_source),
    ]
    if instrument.reliable_change is not None:
        said.append(("Reliable change", instrument.reliable_change_source))
    if instrument.missing is not None:
        said.append(
            ("Missing answers", f"no total, unless switched on in Settings: {rule_in_words(instrument)}")
        )
    if instrument.unconfirmed:
        said.append(("Not confirmed", instrument.unconfirmed))
    return said


GOOD_END = {"higher_is_better": "high", "higher_is_worse": "low", "none": "neither"}
SCORE = {"sum": "sum of the items", "mean": "mean of the items", "none": "not scored"}


def history() -> list[access_log.Line]:
    """The last changes of wording, licences and settings, newest first."""
    changed = AuditEvent.objects.filter(entity__in=HISTORY).exclude(action=LogEvent.RULES_TRIED)
    return access_log.lines(changed[:LINES_OF_HISTORY])


def obstacle(instrument: Instrument) -> str:
    return offers.obstacle(instrument, timezone.localdate())


def instrument_of(wording: ClinicWording) -> Instrument:
    return instruments.get(wording.instrument, wording.instrument_version)


def _languages(instrument: Instrument, loaded: list[ClinicWording], chosen: ClientForm) -> list[str]:
    shipped = chosen.of(instrument) if instrument.wordings else []
    switched_on = {*shipped, *(wording.language for wording in loaded if wording.is_on)}
    return [tag for tag in client_form.TAGS if tag in switched_on]


def _not_signed_off(instrument: Instrument, loaded: list[ClinicWording], chosen: ClientForm) -> list[str]:
    """Of our own words; those of an owner are not ours to sign."""
    if instrument.licence != "ours":
        return []
    return client_form.not_signed_off(instrument, _languages(instrument, loaded, chosen))


def pages_not_signed_off(language: str) -> bool:
    """Whether no clinician has signed off what stands around the lines in this language: help, buttons, thanks."""
    ours = instruments.get(instruments.SESSION_RATING)
    return bool(client_form.not_signed_off(ours, [language]))
