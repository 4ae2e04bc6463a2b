"""Whether a form can be given today, and why not: licence and wording, and the page on risk items."""

from datetime import date
from importlib import import_module
from importlib.util import find_spec

from alliance.measurement.instruments import Instrument
from sessions_app.instruments import offers

READ_FIRST = "Read and confirm the page on risk items first."


def obstacle(instrument: Instrument, today: date) -> str:
    """Why it cannot be given on a device today, as a sentence; empty where it can."""
    return not_confirmed(instrument) or offers.obstacle(instrument, today)


def not_confirmed(instrument: Instrument) -> str:
    """Why a form that asks about self-harm can neither be planned nor given; empty where it asks no such thing."""
    if not instrument.risk_items or _is_confirmed(instrument):
        return ""
    return f"{instrument.name} has an item on risk. {READ_FIRST}"


def _is_confirmed(instrument: Instrument) -> bool:
    name = "sessions_app.questionnaires.risk_confirmations"
    return find_spec(name) is not None and bool(import_module(name).is_confirmed(instrument))
