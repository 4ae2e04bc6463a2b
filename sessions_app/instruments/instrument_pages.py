"""The instruments as the administrator sees them: what is loaded, what is licensed, what can be given today."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.wording_file import cannot_be_loaded
from alliance.models import AuditEvent
from clients import access_log
from sessions_app.instruments import offers
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
    chosen = ClinicSettings.objects.in_force().instrument
    return [
        Scale(
            instrument=one,
            is_chosen=one.id == chosen,
            obstacle=offers.obstacle(one, today),
            languages=_languages(one, loaded[one.id]),
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


def _languages(instrument: Instrument, loaded: list[ClinicWording]) -> str:
    tags = {wording.language for wording in loaded if wording.is_on} or set(instrument.wordings)
    return ", ".join(str(name) for tag, name in settings.LANGUAGES if tag in tags)
