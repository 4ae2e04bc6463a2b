"""What the administrator of the invented clinic chose about the form: every language, and where to find help now."""

from collections.abc import Iterator
from datetime import datetime

from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from sessions_app.demo.staff import Team, since
from sessions_app.instruments.client_form import TAGS
from sessions_app.instruments.clinic_settings import ClinicSettings

# Numbers that are kept free for invented people.
URGENT_HELP = {
    "en": "Our duty line, day and night: 020 7946 0123.\n"
    "If a life is in danger: the emergency number, or the nearest hospital.",
    "de": "Unser Bereitschaftsdienst, Tag und Nacht: 030 23125 012.\n"
    "Bei Lebensgefahr: der Notruf oder das nächste Krankenhaus.",
}


def choose(team: Team, now: datetime) -> ClinicSettings:
    """The first version of the settings, from the day the clinic began."""
    return ClinicSettings.objects.create(
        version=1,
        languages=list(TAGS),
        urgent_help=URGENT_HELP,
        made_at=since(now),
        made_by=team.administrator,
    )


def log_lines(made: ClinicSettings) -> Iterator[AuditEvent]:
    yield AuditEvent(
        at=made.made_at,
        action=LogEvent.SETTINGS_CHANGED.value,
        entity="clinicsettings",
        entity_code=made.code,
        actor=made.made_by.pk,
        detail={"version": made.version, "instrument": made.instrument, "closing": made.closing},
    )
