"""What an administrator chooses for the whole clinic."""

from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import apnumber
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.stale_forms import opened_with
from sessions_app.instruments import offers
from sessions_app.instruments.clinic_settings import ClinicSettings, Closing
from sessions_app.rulebook import client_form_fields
from sessions_app.rulebook.unused_parts import UnusedParts

# Whatever rates a session has as many.
_LINES = apnumber(len(instruments.get(instruments.SESSION_RATING).items))


class SettingsForm(forms.Form):
    instrument = forms.ChoiceField(
        label="Form of every session",
        help_text="For new forms. A client’s usual range begins anew with another form: the two are never mixed. "
        "With one that is marked “from paper”, nothing is handed over or sent any more.",
        widget=forms.RadioSelect,
    )
    closing = forms.ChoiceField(
        label="After a rating the client sees",
        help_text=f"The marks are the {_LINES} lines of today, without figures, on the tablet that was handed over or "
        "the tablet of a room: never on the client’s own phone, and not where a questionnaire "
        "followed: somebody else may hold the tablet by then. They go after two minutes.",
        choices=Closing.choices,
        widget=forms.RadioSelect,
    )
    languages = client_form_fields.languages_field()

    def __init__(self, data: Any = None, *, now: ClinicSettings, unused: UnusedParts) -> None:
        more = {**client_form_fields.help_fields(now), **client_form_fields.missing_answer_fields(now)}
        stored = client_form_fields.stored(now)
        stored = {name: stored[name] for name in (*self.base_fields, *more)}
        super().__init__(data, initial=stored)
        self.fields.update(more)
        scales = [
            (one.id, _named(one))
            for one in instruments.session_scales()
            if not unused.leaves_out(one, now.instrument)
        ]
        self.fields["instrument"].choices = scales  # type: ignore[attr-defined]
        opened_with(self, row="settings", stored=stored)


def _named(instrument: Instrument) -> str:
    notes = [f"ages {instrument.ages}"]
    if instrument.paper_only:
        notes.append("from paper only: ends hand-over")
    elif offers.obstacle(instrument, timezone.localdate()):
        notes.append("from paper for now")
    return f"{instrument.name} ({', '.join(notes)})"
