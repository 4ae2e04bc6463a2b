"""The conversation about the flags of one session, as it is typed."""

from django import forms

from alliance.line_field import LineField


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
