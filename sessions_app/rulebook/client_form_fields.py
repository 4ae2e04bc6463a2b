"""What an administrator chooses about the form that clients read: as fields, and as columns of the settings."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from alliance.labels import clean_label
from alliance.measurement import instruments
from sessions_app.instruments import missing_answers
from sessions_app.instruments.client_form import NAMES, TAGS
from sessions_app.instruments.clinic_settings import ClinicSettings

HELP = "urgent_help_"
LONGEST_HELP = 400
MOST_LINES = 6
NOT_SIGNED_OFF = "not signed off by a clinician yet"


class HelpField(forms.CharField):
    """Plain text in a few lines, each as a label is typed: nothing in it that nobody sees."""

    def __init__(self, language: str) -> None:
        super().__init__(
            label=f"Where to find help now, in {NAMES[language]}",
            required=False,
            max_length=LONGEST_HELP,
            widget=forms.Textarea({"rows": 4, "lang": language, "dir": "auto"}),
        )

    def to_python(self, value: Any) -> str:
        # The length counts as the page counts it: a line break is one character.
        return str(super().to_python((value or "").replace("\r\n", "\n")))

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        lines = [clean_label(line) for line in text.splitlines()]
        if len(lines) > MOST_LINES:
            raise ValidationError(f"Write {MOST_LINES} lines at most: a person in need reads no more.")
        return "\n".join(lines).strip()


def languages_field() -> forms.MultipleChoiceField:
    """Each language with what is to be known before it is switched on."""
    return forms.MultipleChoiceField(
        label="Languages of our own form",
        help_text="A client whose language is switched off reads the form in English, or in the first that is on. "
        "Before you switch one on that is not signed off, have a clinician who speaks it read the whole form.",
        choices=[(tag, _named(tag)) for tag in _shipped()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one language."},
    )


def help_fields(now: ClinicSettings) -> dict[str, HelpField]:
    """One text for each language that is switched on or has a text; {name of the field: field}."""
    fields = {HELP + tag: HelpField(tag) for tag in TAGS if tag in now.languages or now.urgent_help.get(tag)}
    next(iter(fields.values())).help_text = (
        "Whom to call and where to go, in the words of your clinic. Clients find it on the form, folded, and under the "
        "thanks. Where you leave it empty they read the text in another language; where all are empty, nothing is said."
    )
    return fields


def missing_answer_fields(now: ClinicSettings) -> dict[str, forms.MultipleChoiceField]:
    """Which owners' rules about missing answers hold; {} where the clinic may use no instrument that has one."""
    found = missing_answers.to_choose(now)
    if not found:
        return {}
    field = forms.MultipleChoiceField(
        label="Where an answer is missing, pro-rate",
        required=False,
        help_text="As shipped, a missing answer leaves no total. Where the owner of a questionnaire has published a "
        "rule, each missing answer can count as the mean of the others. Such a total says “pro-rated from 9 of 10” "
        "wherever it stands, and is to be read with caution. It holds for earlier answers too, on pages and in files. "
        "What was answered is not changed: switch it off, and these totals are gone again.",
        choices=[(one.id, f"{one.name}: {missing_answers.rule_in_words(one)}") for one in found],
        widget=forms.CheckboxSelectMultiple,
    )
    return {"prorated": field}


def stored(now: ClinicSettings) -> dict[str, Any]:
    """What is in force, by the names of the fields."""
    texts = {HELP + tag: now.urgent_help.get(tag, "") for tag in TAGS}
    return {
        "instrument": now.instrument,
        "closing": now.closing,
        "languages": now.languages,
        "prorated": now.prorated,
        **texts,
    }


def as_columns(now: ClinicSettings, new: Mapping[str, Any]) -> dict[str, Any]:
    """What to write of `new`, which has the names of the fields."""
    texts = {name.removeprefix(HELP): text for name, text in new.items() if name.startswith(HELP)}
    columns = {name: value for name, value in new.items() if not name.startswith(HELP)}
    if texts:
        columns["urgent_help"] = {tag: text for tag, text in {**now.urgent_help, **texts}.items() if text}
    return columns


def changes(before: ClinicSettings, after: ClinicSettings) -> list[str]:
    """What differs between two versions, in words."""
    said = []
    if before.languages != after.languages:
        said.append(f"Languages of our own form: {_listed(after)} (were {_listed(before)})")
    if before.prorated != after.prorated:
        said.append(f"Pro-rated where an answer is missing: {_pro_rated(after)} (was {_pro_rated(before)})")
    for tag in TAGS:
        was, text = (one.urgent_help.get(tag, "") for one in (before, after))
        if was != text:
            words = " / ".join(text.splitlines())
            said.append(f"Where to find help now, in {NAMES[tag]}: {f'“{words}”' if text else 'taken out'}")
    return said


def _listed(one: ClinicSettings) -> str:
    return ", ".join(NAMES[tag] for tag in TAGS if tag in one.languages)


def _pro_rated(one: ClinicSettings) -> str:
    return ", ".join(instruments.get(name).name for name in one.prorated) or "nothing"


def _shipped() -> list[str]:
    return [tag for tag in TAGS if tag in instruments.get(instruments.SESSION_RATING).wordings]


def _named(tag: str) -> str:
    signed_off = instruments.get(instruments.SESSION_RATING).signed_off
    return NAMES[tag] if tag in signed_off else f"{NAMES[tag]} ({NOT_SIGNED_OFF})"
