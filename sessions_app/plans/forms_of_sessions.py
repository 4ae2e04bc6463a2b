"""Which session scale is given for one session: the client's, unless the session is of a kind that has its own.

The rooms that know such kinds come after this one: they register here what they know.
"""

from collections.abc import Callable
from datetime import date

from alliance.measurement.instruments import Instrument
from sessions_app.courses.models import TherapySession
from sessions_app.plans import which_forms

FormOfSession = Callable[[TherapySession], Instrument | None]
_registered: list[FormOfSession] = []


def register(form_of: FormOfSession) -> None:
    """form_of: the scale of a session of its kind; None for every other session."""
    if form_of not in _registered:
        _registered.append(form_of)


def own_form(session: TherapySession) -> Instrument | None:
    """The scale of a session whose kind has its own; None for every other."""
    return next((form for form_of in _registered if (form := form_of(session))), None)


def alliance_form(session: TherapySession, day: date | None = None) -> Instrument:
    """The session scale of this session; day: as for `which_forms.alliance_form`."""
    return own_form(session) or which_forms.alliance_form(session.episode, day)
