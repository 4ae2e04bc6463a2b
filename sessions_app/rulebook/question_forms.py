"""The forms about what can be asked at a flag."""

import unicodedata
from typing import Any

from django import forms

from alliance.measurement import instruments
from alliance.measurement.handbook import RULES
from sessions_app.conversations.own_questions import QUESTION_LENGTH
from sessions_app.rulebook.rule_pages import languages_by_name, line_label

WITHOUT_LINES = frozenset("G")


class QuestionLanguageForm(forms.Form):
    language = forms.ChoiceField()

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["language"].choices = languages_by_name()  # type: ignore[attr-defined]


class OwnQuestionForm(forms.Form):
    rule = forms.ChoiceField(label="Shown at the flag")
    item = forms.ChoiceField(
        label="About the line", required=False, help_text="One line, or whichever line fell."
    )
    language = forms.ChoiceField(help_text="Shown to those who chose this language for the questions.")
    text = forms.CharField(
        label="Question",
        max_length=QUESTION_LENGTH,
        widget=forms.TextInput({"dir": "auto"}),
        help_text="In your own words, short, open and without blame. Not the wording of a scale under licence.",
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        lines = [(item.id, line_label(item.id)) for item in instruments.get(instruments.SESSION_RATING).items]
        choices = {
            "rule": [(rule.letter, rule.name) for rule in RULES.values()],
            "item": [("", "Whichever line fell"), *lines],
            "language": languages_by_name(),
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        """One line, and nothing that turns the direction of the page around it."""
        said = " ".join(str(self.cleaned_data["text"]).split())
        if any(unicodedata.category(sign) in ("Cc", "Cf") and sign not in "\u200c\u200d" for sign in said):
            raise forms.ValidationError("There is a sign in it that cannot be seen. Type it again.")
        return said

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("rule") in WITHOUT_LINES:
            cleaned["item"] = ""  # nothing was rated: no line fell
        return cleaned
