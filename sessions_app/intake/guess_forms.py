"""What a therapist types who guesses what the client will mark."""

from typing import Any

from django import forms

from alliance.form_keys import FormKeyField
from alliance.measurement.instruments import Instrument, Wording
from sessions_app.intake.rater_forms import answer_field, answers_of


class GuessForm(forms.Form):
    """The lines of the client's form, in the words for a guess. Empty: not guessed."""

    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, instrument: Instrument, wording: Wording) -> None:
        super().__init__(data)
        self.instrument = instrument
        for item in instrument.items:
            self.fields[item.id] = answer_field(instrument, item, wording)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        answers = answers_of(self, self.instrument, cleaned)
        if not self.errors and all(value is None for value in answers.values()):
            raise forms.ValidationError("Guess at least one line.")
        return {"answers": answers, "form_key": cleaned.get("form_key")}
