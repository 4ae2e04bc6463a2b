"""The instruments as the administrator sees them: what is loaded, what is licensed, what can be given today."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.wording_file import cannot_be_loaded
from alliance.models import AuditEvent
from clients import access_log
from sessions_app.instruments import client_form, offers
from sessions_app.instruments.client_form import ClientForm
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence

HISTORY = ("clinicwording", "licence", "clinicsettings")
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


def build(today: date) -> list[Scale]:
    """Every alliance scale; a fixed number of queries for each of the few there are."""
    loaded, licences = defaultdict(list), defaultdict(list)
    for wording in ClinicWording.objects.select_related("loaded_by", "switched_on_by"):
        loaded[wording.instrument].append(wording)
    for licence in Licence.objects.select_related("accepted_by", "ended_by"):
        licences[licence.instrument].append(licence)
    now = ClinicSettings.objects.in_force()
    chosen = client_form.read(now.languages, now.urgent_help)
    return [
        Scale(
            instrument=one,
            is_chosen=one.id == now.instrument,
            obstacle=offers.obstacle(one, today),
            languages=", ".join(client_form.NAMES[tag] for tag in _languages(one, loaded[one.id], chosen)),
            not_signed_off=", ".join(_not_signed_off(one, loaded[one.id], chosen)),
            may_load=not cannot_be_loaded(one),
            wordings=loaded[one.id],
            licences=licences[one.id],
        )
        for one in instruments.session_scales()
    ]


def history() -> list[access_log.Line]:
    """The last changes of wording, licences and settings, newest first."""
    changed = AuditEvent.objects.filter(entity__in=HISTORY).exclude(action=LogEvent.RULES_TRIED)
    return access_log.lines(changed[:LINES_OF_HISTORY])


def obstacle(instrument: Instrument) -> str:
    return offers.obstacle(instrument, timezone.localdate())


def instrument_of(wording: ClinicWording) -> Instrument:
    return instruments.get(wording.instrument, wording.instrument_version)


def _languages(instrument: Instrument, loaded: list[ClinicWording], chosen: ClientForm) -> list[str]:
    if not instrument.licensed:
        return chosen.of(instrument)
    switched_on = {wording.language for wording in loaded if wording.is_on}
    return [tag for tag in client_form.TAGS if tag in switched_on]


def _not_signed_off(instrument: Instrument, loaded: list[ClinicWording], chosen: ClientForm) -> list[str]:
    tags = _languages(instrument, loaded, chosen)
    return [] if instrument.licensed else client_form.not_signed_off(instrument, tags)


def pages_not_signed_off(language: str) -> bool:
    """Whether no clinician has signed off what stands around the lines in this language: help, buttons, thanks."""
    ours = instruments.get(instruments.SESSION_RATING)
    return bool(client_form.not_signed_off(ours, [language]))
