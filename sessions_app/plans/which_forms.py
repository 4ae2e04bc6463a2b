"""Which form rates the alliance of a session, and which questionnaires are due at it."""

from datetime import date

from alliance.measurement.instruments import Instrument
from clients.models import Episode
from sessions_app.instruments.clinic_settings import ClinicSettings


def alliance_form(episode: Episode, day: date | None = None) -> Instrument:
    """The session scale that this client is given; day: the one that was in force then, for a form on paper."""
    settings = ClinicSettings.objects
    return (settings.in_force() if day is None else settings.in_force_on(day)).form
