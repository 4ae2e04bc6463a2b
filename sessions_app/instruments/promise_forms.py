"""What an administrator chooses about who sees what is filled in: one box for each way, and a sentence of their own."""

from typing import Any

from django import forms

from alliance.label_field import LabelFormField
from alliance.stale_forms import opened_with
from sessions_app.instruments import promise_actions
from sessions_app.instruments.client_form import NAMES, TAGS
from sessions_app.instruments.promise_actions import OWN
from sessions_app.instruments.promises import FLAGS, Door, Promised

LONGEST_SENTENCE = 300
# Of each box: what it says, and what follows where it is ticked, or is not.
SAYS: dict[Door, tuple[str, str]] = {
    Door.SUPERVISOR: (
        "Whoever supervises the therapist sees the marks",
        "Without it the caseload, the agendas and the files of supervisors say nothing of a course that has such "
        "marks: no total, no picture, no flag. They see that there was a rating.",
    ),
    Door.COMMENT: (
        "They also read the sentence beside the marks, if the person who wrote it agrees",
        "Without it the form does not ask for that.",
    ),
    Door.EXPORT: (
        "The marks are in files of many clients",
        "Without it they are left out of every export, the therapist’s own too.",
    ),
    Door.RECORD: (
        "The marks are in the record of the client, printed or as a file",
        "Before you take this away, ask who has a right to a copy: a person may have one to what is stored about them.",
    ),
    Door.RESEARCH: (
        "The marks may be used for research, without names",
        "This site does no research by itself. Each row of an export says whether it may be used for that.",
    ),
    Door.RECORD_SYSTEM: (
        "The marks may be kept in another system of the clinic, where others who treat the client read them",
        "This site sends nothing there by itself. Each row of an export says whether it may be kept there.",
    ),
    Door.FAMILY: ("", "No page of this site shows it to them: the therapist does, in the room."),
}
FAMILY = {
    "client": "Whoever looks after the client may see the marks, together with the therapist",
    "caregiver": "The client may see the marks of a caregiver, together with the therapist",
}
# Of what others answer no list is made, so that nothing else closes with it.
OF_OTHERS = "Without it these answers are left out of the pages and files of whoever supervises."
OF_STAFF = "The client may see what was marked"


class PromiseForm(forms.Form):
    def __init__(self, data: Any = None, *, rater: str) -> None:
        stored = promise_actions.stored(rater)
        super().__init__(data, initial=stored)
        self.rater = rater
        for door in FLAGS:
            label, help_text = SAYS[door]
            if door == Door.SUPERVISOR and rater != "client":
                help_text = OF_OTHERS
            self.fields[door.value] = forms.BooleanField(
                label=label or FAMILY.get(rater, OF_STAFF), help_text=help_text, required=False
            )
        for tag in TAGS:
            self.fields[OWN + tag] = LabelFormField(
                label=f"A sentence of your own, in {NAMES[tag]}",
                required=False,
                max_length=LONGEST_SENTENCE,
                widget=forms.TextInput({"lang": tag, "dir": "auto", "autocomplete": "off"}),
            )
        self.fields[OWN + TAGS[0]].help_text = (
            "It stands below the others, and must be true: the site cannot check it. Where it is missing in a "
            "language, it is read in another."
        )
        opened_with(self, row=f"promise to {rater}", stored=stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get(Door.COMMENT) and not cleaned.get(Door.SUPERVISOR):
            self.add_error(
                Door.COMMENT.value,
                "Whoever may not see the marks is not told what was written beside them. Take this away too.",
            )
        return cleaned

    @property
    def promised(self) -> Promised:
        """What it would promise, of a valid form."""
        columns = promise_actions.as_columns(self.cleaned_data)
        own = tuple(sorted(columns.pop("own").items()))
        return Promised(self.rater, own=own, **columns)
