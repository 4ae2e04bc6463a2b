"""The conversation about the flags of one session, as it is typed, and the line why it is changed later."""

from django import forms

from alliance.line_field import LineField
from sessions_app.courses.decisions import LINE


class DiscussionForm(forms.Form):
    """One line each: the conversation about the flags of one session."""

    said = LineField(
        label="What the client said",
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write in one line what the client said."},
    )
    agreed = LineField(
        label="What we change",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    """Why something that was noted is changed or taken back."""

    why = LineField(
        label="Why",
        max_length=LINE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write in one line why."},
    )


class DiscussionChangeForm(DiscussionForm, ReasonForm):
    """The two lines once more, filled with what stands, and why they are changed."""

    field_order = ("said", "agreed", "why")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields[
            "why"
        ].help_text = "Such as: a slip, or something was missing. It stays beside the earlier words."
