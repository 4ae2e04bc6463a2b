"""The forms about files and erasure. They clean and explain; what may be written is decided in the actions."""

from typing import Any

from django import forms

from alliance.erasures import NOTE_LENGTH, Reason
from alliance.models import User
from alliance.stale_forms import opened_with
from sessions_app.records import sheets
from sessions_app.records.export_file import Format
from sessions_app.records.retention_rule import LEAST, MOST, RetentionRule
from sessions_app.records.sheets import Part, Scope

PARTS = {
    Part.OWN: "My clients, with everything I hold about them",
    Part.SUPERVISED: "The clients of those I supervise, as far as I may read it",
    Part.CLINIC: "The clinic: people, clients, episodes and sessions, without ratings",
}
WHOLE = [
    (Format.ZIP.value, "Everything: CSV files in a ZIP"),
    (Format.JSON.value, "Everything: JSON"),
]
SEPARATORS = [(",", "Comma"), (";", "Semicolon")]


class ExportForm(forms.Form):
    """Which rows, in which shape."""

    part = forms.ChoiceField(label="Which records", widget=forms.RadioSelect)
    what = forms.ChoiceField(label="File", help_text="CSV is for spreadsheets, JSON for programs.")
    separator = forms.ChoiceField(
        label="Cells of CSV are separated by",
        choices=SEPARATORS,
        help_text="Semicolon for spreadsheets whose decimal sign is a comma, as in German or French.",
    )

    def __init__(self, data: Any = None, *, user: User, **options: Any) -> None:
        super().__init__(data, **options)
        parts = sheets.parts_of(user)
        names = dict.fromkeys(sheet.name for part in parts for sheet in sheets.named(Scope(user, part)))
        single = [(name, f"{name}.csv") for name in names]
        self.fields["part"].choices = [(part.value, PARTS[part]) for part in parts]  # type: ignore[attr-defined]
        self.fields["part"].initial = parts[0].value if parts else None
        self.fields["what"].choices = [("All sheets", WHOLE), ("One sheet, as CSV in a ZIP", single)]  # type: ignore[attr-defined]
        if len(parts) == 1:
            self.fields["part"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        part, what = cleaned.get("part"), cleaned.get("what")
        if part and what and what not in {*Format, *(sheet.name for sheet in sheets.sheets(Part(part)))}:
            self.add_error("what", "This sheet is not among these records. Choose another file.")
        return cleaned


class ErasureForm(forms.Form):
    reason = forms.ChoiceField(
        label="Reason",
        choices=[("", "Choose"), *(choice for choice in Reason.choices if choice[0] != Reason.RETENTION)],
        help_text="This kind is kept for ever, with the code of the client.",
    )
    note = forms.CharField(
        label="For the second person, in one line",
        max_length=NOTE_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="Where the request lies, for example. Nothing about the therapy, and no name. "
        "The line goes with the client.",
    )


class RetentionForm(forms.Form):
    years = forms.IntegerField(
        label="Years after the end of the last episode",
        min_value=LEAST,
        max_value=MOST,
        required=False,
        help_text="Empty: nobody is ever listed. Ask what the law where you are wants: often ten years or more.",
    )
    years_young = forms.IntegerField(
        label="For those under 18",
        min_value=LEAST,
        max_value=MOST,
        required=False,
        help_text="Often longer: until some years after they come of age. Empty: as everybody.",
    )

    def __init__(self, data: Any = None, *, now: RetentionRule) -> None:
        super().__init__(data, initial=now.says)
        opened_with(self, row="retention", stored=now.says)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        years, young = cleaned.get("years"), cleaned.get("years_young")
        if young and not years:
            self.add_error("years", "Say for adults too, or leave both empty.")
        elif years and young and young < years:
            self.add_error(
                "years_young", "Records of those under 18 are kept as long as those of adults, or longer."
            )
        return cleaned


class BatchForm(forms.Form):
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
