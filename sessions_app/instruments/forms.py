"""What an administrator enters about instruments and settings."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.pack_file import Pack
from alliance.measurement.wording_file import MOST_BYTES, WordingError, WordingFile, decoded, read_wording
from clients.forms import day_field
from clients.plausible_days import FIFTY_YEARS
from sessions_app.instruments.clinic_wording import Licence, Medium


class WordingFileForm(forms.Form):
    """A file with wording, or its text once it was read. `read` is what it says, where nothing is wrong.

    The text of a file with faults comes back in a box, to be put right there.
    """

    data: QueryDict
    file = forms.FileField(
        label="File",
        help_text=f"TOML, UTF-8, {MOST_BYTES // 1024} KB at most. You see the form before anything is stored.",
        error_messages={"required": "Choose a file."},
        widget=forms.FileInput({"accept": ".toml,.txt"}),
    )
    text = forms.CharField(
        label="Text of the file",
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 24, "spellcheck": "false", "class": "file-text"}),
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self.read: WordingFile | None = None
        self.fields["file"].required = not self.has_text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            text = self._text(cleaned)
            self.read = read_wording(text, [tag for tag, _name in settings.LANGUAGES])
        except WordingError as error:
            for sentence in error.sentences:
                self.add_error("text" if self.has_text else "file", sentence)
        return {"read": self.read}

    def _text(self, cleaned: dict[str, Any]) -> str:
        file = cleaned.get("file")
        if file is None:
            return str(cleaned["text"])
        text = decoded(file.read(MOST_BYTES + 1))
        self.data = self.data.copy()
        self.data["text"] = text
        return text

    @property
    def has_text(self) -> bool:
        return bool(self.data.get("text"))


class LicenceForm(forms.Form):
    instrument = forms.ChoiceField()
    holder = forms.CharField(
        help_text="The clinic or the person it was given to.",
        max_length=Licence._meta.get_field("holder").max_length,
    )
    kind = forms.CharField(
        label="Kind of licence",
        help_text="As its owner calls it, such as group, individual or web.",
        max_length=Licence._meta.get_field("kind").max_length,
    )
    number = forms.CharField(required=False, max_length=Licence._meta.get_field("number").max_length)
    medium = forms.ChoiceField(label="May be used", choices=Medium.choices, widget=forms.RadioSelect)
    valid_to = day_field(
        label="Last day",
        help_text="No new form is given after it. Leave it empty where the licence has no end.",
        required=False,
        ahead=FIFTY_YEARS,
    )
    accepted = forms.BooleanField(
        label="I have read its terms, and the clinic keeps to them",
        error_messages={"required": "Say that you have read the terms."},
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["instrument"].choices = _licensed()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        last_day = cleaned.get("valid_to")
        if last_day and last_day < timezone.localdate():
            self.add_error("valid_to", "This licence is past its last day already.")
        cleaned.pop("accepted", None)
        return cleaned


def _licensed() -> list[tuple[str, list[tuple[str, str]]]]:
    """What a licence can be for, by its use. One licence is for all forms of an instrument."""
    kinds = (
        ("Session scales", instruments.session_scales()),
        ("Questionnaires", instruments.questionnaires()),
    )
    return [
        (title, [(one.id, one.name) for one in found if one.licence == "licensed" and one.id == one.form_of])
        for title, found in kinds
    ]


class PackForm(forms.Form):
    """That somebody read the terms of the pack as it lies there now."""

    read_sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)
    accepted = forms.BooleanField(
        label="I have read these terms, and the clinic keeps to them",
        error_messages={"required": "Say that you have read the terms."},
    )

    def __init__(self, data: Any = None, *, pack: Pack) -> None:
        super().__init__(data, initial={"read_sha256": pack.sha256})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned.pop("accepted", None)
        return cleaned
