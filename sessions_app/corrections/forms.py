"""What a therapist says with a decision about marks: why, in one line, and what was really marked."""

from typing import Any

from django import forms
from django.http import QueryDict

from alliance.line_field import LineField
from alliance.measurement import instruments
from alliance.measurement.scoring import points
from sessions_app.corrections import families
from sessions_app.courses.decisions import LINE
from sessions_app.courses.models import Rating
from sessions_app.intake.session_forms import PaperRatingForm


def one_line(label: str, *, required: bool) -> LineField:
    return LineField(
        label=label,
        max_length=LINE,
        required=required,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write in one line why."},
    )


class LeaveForm(forms.Form):
    why = one_line("Why", required=False)


class UseForm(LeaveForm):
    """`seen`: the rating that stood when the page was drawn. The page writes it, never the person."""

    data: QueryDict
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def shows(self, stands: Rating | None) -> None:
        """The page is drawn with `stands` on it, so the next press is about that one."""
        self.initial["seen"] = seen = stands.code if stands else ""
        if self.is_bound:
            self.data = self.data.copy()
            self.data["seen"] = str(seen)


class CorrectionForm(PaperRatingForm):
    """The paper form once more, filled with what stands, and why it is wrong."""

    def __init__(self, data: Any = None, *, rating: Rating) -> None:
        super().__init__(data, instrument=instruments.get(rating.instrument, rating.instrument_version))
        self.rating = rating
        self.fields["why"] = one_line("Why, in one line", required=True)
        self.fields["why"].help_text = "Such as: typed 28 for 82. It stays beside the earlier marks."
        typed = {item: "" if tenths is None else points(tenths) for item, tenths in rating.marks.items()}
        self.initial = {**typed, "comment": rating.comment, "channel": rating.mode}
        for item in families.marked_by_the_client(rating):
            self.fields[item].disabled = True
            self.fields[item].help_text = "The client marked this on a device."

    def clean(self) -> dict[str, Any]:
        why = self.cleaned_data.get("why", "")
        cleaned = super().clean()
        before = (self.rating.marks, self.rating.comment, self.rating.mode)
        if not self.errors and (cleaned["answers"], cleaned["comment"], cleaned["channel"]) == before:
            raise forms.ValidationError("Nothing is different from the marks that stand.")
        return {**cleaned, "why": why}
