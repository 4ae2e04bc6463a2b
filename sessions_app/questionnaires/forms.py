"""What staff write about questionnaires: decisions with a reason, notes, and what the clinic says of risk items."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from alliance.form_keys import FormKeyField
from alliance.line_field import LineField
from alliance.measurement.instruments import Instrument
from alliance.models import User
from alliance.stale_forms import opened_with
from sessions_app.courses.responses import WHY
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.risk_answers import NOTE
from sessions_app.questionnaires.risk_confirmations import SENTENCE, TEXT_VERSION, RiskConfirmation


class DecisionForm(forms.Form):
    why = LineField(
        label="Why",
        max_length=WHY,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write in one line why."},
    )


class RiskNoteForm(forms.Form):
    """`seen`: how many notes the page showed. The page writes it, never the person."""

    data: QueryDict
    note = forms.CharField(
        label="What did you do?",
        max_length=NOTE,
        widget=forms.Textarea({"rows": 3, "dir": "auto"}),
        help_text="Such as: called at 14:10, agreed to meet tomorrow, crisis plan gone through.",
        error_messages={"required": "Write what you did, or why nothing was needed."},
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, seen: int) -> None:
        super().__init__(data, initial={"seen": seen})

    def shows(self, notes: int) -> None:
        """The page is drawn with so many notes on it, so the next press is about those."""
        self.initial["seen"] = notes
        if self.is_bound:
            self.data = self.data.copy()
            self.data["seen"] = str(notes)


class RiskConfirmationForm(forms.Form):
    """That somebody read the page, the clinic's own sentence in each language, and who looks."""

    text_version = forms.IntegerField(widget=forms.HiddenInput)
    looks_when_away = forms.ModelChoiceField(
        label="Who looks when the therapist is away",
        queryset=User.objects.none(),
        empty_label="Choose",
        help_text="A therapist or supervisor. An administrator as such reads no answer.",
        error_messages={"required": "Name somebody who looks."},
    )
    accepted = forms.BooleanField(
        label="I have read what the site does and does not do, and the clinic is prepared for it",
        error_messages={"required": "Say that you have read it."},
    )

    def __init__(self, data: Any = None, *, instrument: Instrument, stands: RiskConfirmation | None) -> None:
        super().__init__(data)
        stored = risk_confirmations.says(stands)
        self.initial = {**stored, "text_version": TEXT_VERSION}
        self.fields["looks_when_away"].queryset = risk_confirmations.who_may_look()  # type: ignore[attr-defined]
        sentences = {
            f"sentence_{tag}": forms.CharField(
                label=f"Your sentence for the client, in {name}",
                required=False,
                max_length=SENTENCE,
                widget=forms.Textarea({"rows": 2, "lang": tag, "dir": "auto"}),
            )
            for tag, name in settings.LANGUAGES
        }
        self.fields = {**sentences, **self.fields}
        opened_with(self, row=instrument.id, stored=stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        sentences = {tag: cleaned.pop(f"sentence_{tag}", "").strip() for tag, _name in settings.LANGUAGES}
        if not self.errors and not any(sentences.values()):
            raise forms.ValidationError("Write your sentence in at least one language.")
        cleaned.pop("accepted", None)
        return {**cleaned, "sentences": sentences}
