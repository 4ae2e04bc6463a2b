"""Why a client is not talked to now."""

from typing import Any

from django import forms

from alliance.line_field import LineField
from sessions_app.courses.decisions import LINE
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Flag

REASONS = (
    "Something more urgent comes first",
    "We agreed to look at it next time",
    "The client asked to leave it for now",
    "Known and expected, nothing to change",
    "The marks were a slip",
)
NO_REASON = "Choose a reason, or write one in a few words."
CHANGED = "These flags changed meanwhile. Open the page again to see them."


class DeferralForm(forms.Form):
    """A reason in one line, chosen or in one's own words; `kind` is the button that was pressed."""

    flags = forms.ModelMultipleChoiceField(
        queryset=Flag.objects.none(),
        to_field_name="code",
        widget=forms.MultipleHiddenInput,
        error_messages={"required": CHANGED, "invalid_choice": CHANGED, "invalid_pk_value": CHANGED},
    )
    chosen = forms.ChoiceField(
        label="Why",
        choices=[(reason, reason) for reason in REASONS],
        widget=forms.RadioSelect,
        error_messages={"required": NO_REASON},
    )
    own = LineField(
        label="Or in your own words",
        required=False,
        max_length=LINE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, standing: Any, calling: list[Flag]) -> None:
        """`standing`: the flags of the episode one may name; `calling`: those the page shows."""
        super().__init__(data, initial={"flags": [flag.code for flag in calling]})
        self.fields["flags"].queryset = standing  # type: ignore[attr-defined]
        self.fields["chosen"].required = not (data and self.fields["own"].to_python(data.get("own")))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = self.data.get("kind", "")
        why = cleaned.get("own") or cleaned.get("chosen") or ""
        if kind not in Deferral.Kind.values:
            self.add_error(None, "Say whether it waits for the next session or needs no talk.")
        return {"flags": cleaned.get("flags", ()), "kind": kind, "why": why}
