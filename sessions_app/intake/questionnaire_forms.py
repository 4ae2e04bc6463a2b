"""What a therapist types from a questionnaire on paper: one answer for each item, nothing where there is none."""

from typing import Any, NamedTuple

from django import forms
from django.forms.boundfield import BoundField

from alliance.form_keys import FormKeyField
from alliance.label_field import LabelFormField
from alliance.measurement.instruments import Item, Wording
from alliance.measurement.scoring import AnswerError, points, tenths_from_text
from sessions_app.courses.grants import LABELLED, Channel
from sessions_app.courses.raters import RATER_LABEL, Rater
from sessions_app.instruments.choices import Choice, choices_of, has_choices
from sessions_app.instruments.paper import PaperForm

MINUS = ("-", "−")


class Row(NamedTuple):
    """One item as the page shows it. choices: what its answers are called, where the item before had others."""

    number: int
    question: str
    choices: list[Choice]
    field: BoundField


class QuestionnaireEntryForm(forms.Form):
    """Answers in points. Which one it is about stands in the address."""

    rater = forms.TypedChoiceField(label="Filled in by", coerce=Rater, widget=forms.RadioSelect)
    channel = forms.TypedChoiceField(
        label="How",
        choices=[(Channel.PAPER.value, "On paper"), (Channel.VERBAL.value, "Said aloud")],
        coerce=Channel,
        widget=forms.RadioSelect,
        initial=Channel.PAPER.value,
    )
    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, form: PaperForm, wording: Wording | None) -> None:
        """wording: with the therapist's name in it."""
        super().__init__(data)
        self.of, self.wording = form.scored, wording
        raters = [rater for rater in Rater if rater.value in self.of.raters]
        self.fields["rater"].choices = [(rater.value, rater.label) for rater in raters]  # type: ignore[attr-defined]
        self.fields["rater"].initial = raters[0].value
        if not LABELLED.isdisjoint(raters):
            self.fields["label"] = LabelFormField(
                label="Which of several",
                required=False,
                max_length=RATER_LABEL,
                help_text="Of a caregiver or an observer, such as “mother”, and no name.",
                widget=forms.TextInput({"autocomplete": "off", "dir": "auto"}),
            )
        for number, item in enumerate(self.of.items, 1):
            widest = max(len(points(item.minimum)), len(points(item.maximum)))
            attrs = {
                "inputmode": "decimal" if item.step == 1 else "numeric",
                "autocomplete": "off",
                "size": 4,
            }
            self.fields[item.id] = forms.CharField(
                label=f"Item {number}",
                required=False,
                max_length=12,
                widget=forms.TextInput(attrs={**attrs, "data-answer": "" if item.step == 1 else widest}),
            )

    @property
    def rows(self) -> list[Row]:
        found: list[Row] = []
        last: list[Choice] = []
        for number, item in enumerate(self.of.items, 1):
            choices = choices_of(item, self.wording) if self.wording and has_choices(self.of) else []
            question = self.wording.items[item.id].question if self.wording else item.label
            found.append(Row(number, question, [] if choices == last else choices, self[item.id]))
            last = choices
        return found

    @property
    def about(self) -> list[BoundField]:
        return [self[name] for name in ("rater", "label", "channel") if name in self.fields]

    @property
    def range(self) -> str:
        first = self.of.items[0]
        return f"{points(first.minimum)} to {points(first.maximum)}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        answers: dict[str, int | None] = {}
        for item in self.of.items:
            try:
                answers[item.id] = answer_from_text(cleaned.get(item.id, ""), item)
            except AnswerError as error:
                self.add_error(item.id, error.sentence)
        if not self.errors and all(value is None for value in answers.values()):
            raise forms.ValidationError("Type at least one answer. Leave an item empty that was left open.")
        names = ("rater", "channel", "form_key")
        label = cleaned.get("label", "") if cleaned.get("rater") in LABELLED else ""
        return {"answers": answers, "label": label, **{name: cleaned.get(name) for name in names}}


def answer_from_text(text: str, item: Item) -> int | None:
    """What a person types for one item, in tenths; None for nothing. Raises AnswerError with a plain sentence."""
    typed = text.strip()
    limits = f"Please give a number from {points(item.minimum)} to {points(item.maximum)}."
    is_below = item.minimum < 0 and typed.startswith(MINUS)
    if not is_below and item.minimum >= 0:
        tenths = tenths_from_text(typed, item=item.id, minimum=item.minimum, maximum=item.maximum)
    else:
        size = tenths_from_text(typed[1:] if is_below else typed, item=item.id, maximum=999)
        tenths = -size if is_below and size is not None else size
        if (is_below and tenths is None) or (
            tenths is not None and not item.minimum <= tenths <= item.maximum
        ):
            raise AnswerError(item.id, limits)
    if tenths is not None and (tenths - item.minimum) % item.step:
        raise AnswerError(
            item.id, f"Please give a whole number from {points(item.minimum)} to {points(item.maximum)}."
        )
    return tenths
