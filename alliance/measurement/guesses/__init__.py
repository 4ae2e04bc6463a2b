"""What a therapist reads who guesses how the client will mark the session. Our own words, in English.

One file for each of our own session forms, named by its id; licensed ones are asked about by the names of their lines,
because their owners' words are not ours to turn round.
"""

import tomllib
from functools import cache
from importlib import resources
from types import MappingProxyType

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, ItemWording, Wording

WRITTEN_IN = "en"


@cache
def guess_wording(instrument_id: str) -> Wording:
    """How a guess at this form is asked for, line by line. Raises ValueError where it does not rate a session."""
    instrument = instruments.get(instrument_id)
    if instrument.use != "session_alliance":
        raise ValueError(f"{instrument.name} is no rating of a session, so nobody guesses it.")
    file = resources.files(__name__).joinpath(f"{instrument_id}.toml")
    return _ours(file.read_text("utf-8")) if file.is_file() else _by_name(instrument)


def _ours(text: str) -> Wording:
    data = tomllib.loads(text)
    items = {item: ItemWording(**words) for item, words in data["items"].items()}
    return Wording(WRITTEN_IN, data["title"], data["introduction"], MappingProxyType(items))


def _by_name(instrument: Instrument) -> Wording:
    common = guess_wording(instruments.SESSION_RATING)
    items = {
        item.id: ItemWording(f"Where will the client mark the line “{item.label}”?", "Low end", "High end")
        for item in instrument.items
    }
    return Wording(WRITTEN_IN, common.title, common.introduction, MappingProxyType(items))
