"""What is typed between supervisor and therapist, a line each."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from alliance.form_keys import FormKeyField
from alliance.line_field import LineField
from alliance.stale_forms import opened_with
from clients.forms import day_field
from clients.models import Episode
from clients.plausible_days import NOT_AHEAD
from sessions_app.courses.decisions import LINE
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.rows import WORDS
from sessions_app.supervision.talks import SupervisionTalk

OFF = {"autocomplete": "off"}


def _words(label: str, required: str, **options: Any) -> LineField:
    return LineField(
        label=label,
        max_length=WORDS,
        widget=forms.TextInput(attrs=OFF),
        error_messages={"required": required},
        **options,
    )


class QuestionForm(forms.Form):
    """A question to the therapist; with `question`, the same in other words."""

    words = _words("Your question", "Write in one line what you ask.")
    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, question: SupervisionQuestion | None = None) -> None:
        super().__init__(data, initial={"words": question.words} if question else None)
        if question:
            del self.fields["form_key"]
            opened_with(self, row=question.code, stored={"words": question.words})


class AnswerForm(forms.Form):
    """The therapist's answer. It carries the question: nobody answers one they did not read."""

    answer = _words("Your answer", "Write in one line what you answer.")

    def __init__(self, data: Any = None, *, question: SupervisionQuestion, auto_id: str = "id_%s") -> None:
        super().__init__(data, initial={"answer": question.answer}, auto_id=auto_id)
        stored = {"answer": question.answer, "question": question.words}
        opened_with(self, row=question.code, stored=stored, labels={"question": "Question"})


class MeetingForm(forms.Form):
    """The day of the meeting that an agenda is for."""

    held_on = day_field(label="Day of the meeting")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"held_on": timezone.localdate()})


class AgendaItemForm(forms.Form):
    """A line of one's own. courses: of the clients it may be about."""

    text = LineField(
        label="Something else to talk about",
        max_length=LINE,
        widget=forms.TextInput(attrs=OFF),
        error_messages={"required": "Write in one line what you want to talk about."},
    )
    episode = forms.ChoiceField(
        label="About",
        required=False,
        help_text="Choose a client rather than write a name: the line then goes when the client’s record is erased.",
        error_messages={
            "invalid_choice": "This client is none of this therapist’s any more. Choose another one."
        },
    )
    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, courses: Iterable[Episode]) -> None:
        super().__init__(data)
        self.courses = {str(episode.code): episode for episode in courses}
        choices = [("", "No client"), *((code, str(one.client)) for code, one in self.courses.items())]
        self.fields["episode"].choices = choices  # type: ignore[attr-defined]

    def clean_episode(self) -> Episode | None:
        return self.courses.get(self.cleaned_data["episode"])


class SupervisionTalkForm(forms.Form):
    """On which day a client was talked about, and what was agreed; with `talk`, what is noted of it."""

    held_on = day_field(label="Talked about in supervision on", ahead=NOT_AHEAD)
    agreed = _words(
        "What was agreed",
        "Write in one line what was agreed.",
        help_text="Therapist and supervisor read it here. The client, colleagues and administrators do not.",
    )
    form_key = FormKeyField()

    def __init__(
        self, data: Any = None, *, talk: SupervisionTalk | None = None, day: date | None = None
    ) -> None:
        stored = {"held_on": talk.held_on, "agreed": talk.agreed} if talk else {}
        super().__init__(data, initial=stored or {"held_on": day or timezone.localdate()})
        if talk:
            del self.fields["form_key"]
            opened_with(self, row=talk.code, stored=stored)
