"""What an administrator enters about the flag rules: points with one decimal on the page, whole tenths in storage."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from alliance.measurement.scoring import AnswerError, points, tenths_from_text
from alliance.stale_forms import opened_with
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.rulebook.rule_fields import (
    FIELDS,
    OPERATORS,
    RuleField,
    groups_of,
    labels_of,
    letters_of,
    name_of,
    values_of,
)


class PointsField(forms.CharField):
    """Points with at most one decimal, as whole tenths. None where nothing is typed and that may be."""

    widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "size": 6})

    def __init__(self, *, lowest: int, highest: int, may_be_empty: bool, **options: Any) -> None:
        super().__init__(max_length=12, **options)
        self.lowest, self.highest, self.may_be_empty = lowest, highest, may_be_empty

    def prepare_value(self, value: Any) -> Any:
        return points(value) if isinstance(value, int) else value

    def validate(self, value: Any) -> None:
        if not self.may_be_empty:
            super().validate(value)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return tenths_from_text(text, minimum=self.lowest, maximum=self.highest)
        except AnswerError as error:
            raise forms.ValidationError(error.sentence) from error


class HundredthsField(forms.DecimalField):
    """A number with at most two decimals, as whole hundredths."""

    def __init__(self, *, lowest: int, highest: int, **options: Any) -> None:
        widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "size": 6})
        super().__init__(
            min_value=Decimal(lowest) / 100,
            max_value=Decimal(highest) / 100,
            max_digits=5,
            decimal_places=2,
            widget=widget,
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 100:.2f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        number = super().clean(value.replace(",", ".") if isinstance(value, str) else value)
        return None if number is None else int(number * 100)


@dataclass(frozen=True)
class Part:
    """One rule on the page: its switch, then its parameters. The repair has no switch."""

    name: str
    switch: BoundField | None
    fields: list[BoundField]


class RulesForm(forms.Form):
    """The flag rules for one instrument, in one language or in all ("").

    What is not asked here (`letters_of`) stays as it is.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        rules: RuleSettings,
        instrument: Instrument,
        language: str,
        shown: Parameters | None = None,
    ) -> None:
        self.rules, self.instrument, self.language = rules, instrument, language
        self.now = rules.parameters(instrument, language)
        self.below = rules.below(instrument, language)
        self.letters = letters_of(instrument, language)
        self.asked = [
            (group, one) for group in groups_of(instrument, language) for one in FIELDS.get(group, ())
        ]
        super().__init__(data, initial=values_of(shown or self.now, instrument, language))
        for letter in self.letters:
            self.fields[f"rule_{letter}"] = forms.BooleanField(
                label=f"In use ({self._beside(_switch(letter in self.below.enabled))})", required=False
            )
        for _, one in self.asked:
            self.fields[one.name] = self._field(one)
        stored, row = values_of(self.now, instrument, language), f"{instrument.id} {language}"
        opened_with(self, row=row, stored=stored, labels=labels_of(instrument, language))

    def _field(self, one: RuleField) -> forms.Field:
        beside = self._beside(one.in_words(getattr(self.below, one.name)))
        beside = f"{beside[:1].upper()}{beside[1:]}."
        about: dict[str, Any] = {"label": one.label, "help_text": f"{one.help} {beside}".strip()}
        if one.kind == "operator":
            return forms.ChoiceField(choices=list(OPERATORS.items()), widget=forms.RadioSelect, **about)
        lowest, highest = one.range(self.instrument)
        if one.kind == "hundredths":
            return HundredthsField(lowest=lowest, highest=highest, **about)
        if one.kind == "count":
            widget = forms.NumberInput({"inputmode": "numeric"})
            return forms.IntegerField(min_value=lowest, max_value=highest, widget=widget, **about)
        return PointsField(lowest=lowest, highest=highest, may_be_empty=one.is_optional, **about)

    def _beside(self, value: str) -> str:
        return f"{'for all languages' if self.language else 'as shipped'}: {value}"

    def parts(self) -> Iterator[Part]:
        for group in groups_of(self.instrument, self.language):
            own = [self[one.name] for one in FIELDS.get(group, ())]
            yield Part(name_of(group), self[f"rule_{group}"] if group in self.letters else None, own)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for group, one in self.asked:
            if cleaned.get(f"rule_{group}") and one.name in cleaned and cleaned[one.name] is None:
                self.add_error(one.name, "Give a figure, or switch the rule off.")
        self._in_order("own_range_minimum", "own_range_window", "More are needed than are remembered.")
        self._in_order("missing_flag", "missing_of", "More are needed than are looked at.")
        if self.errors:
            return cleaned
        on = {letter for letter in self.letters if cleaned[f"rule_{letter}"]}
        enabled = (self.now.enabled - set(self.letters)) | on
        try:
            chosen = replace(
                self.now, enabled=enabled, **{one.name: cleaned[one.name] for _, one in self.asked}
            )
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return {"opened_with": cleaned["opened_with"], "parameters": chosen}

    def _in_order(self, smaller: str, larger: str, complaint: str) -> None:
        few, many = self.cleaned_data.get(smaller), self.cleaned_data.get(larger)
        if few is not None and many is not None and few > many:
            self.add_error(smaller, complaint)


def _switch(is_on: bool) -> str:
    return "on" if is_on else "off"
