"""Whether what was agreed helped, chosen once more."""

from django import forms

from sessions_app.conversations.follow_ups import FollowUp

NONE = "No answer"


class FollowUpForm(forms.Form):
    answer = forms.ChoiceField(
        label="Did it help?",
        choices=[*FollowUp.Answer.choices, ("", NONE)],
        required=False,
        widget=forms.RadioSelect,
    )
