"""What a therapist enters: sessions, ratings given on paper or aloud, conversations."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import AnswerError, points, tenths_from_text
from clients.models import Episode
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Attendance, Modality, Rating, TherapySession

FARTHEST_AHEAD = timedelta(days=366)


class DateTimeInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class SessionForm(forms.Form):
    """A therapy session: when, how, and whether it took place."""

    held_at = forms.DateTimeField(label="Date and time", widget=DateTimeInput())
    modality = forms.ChoiceField(label="How", choices=Modality.choices)
    attendance = forms.ChoiceField(label="Attendance", choices=Attendance.choices)

    def __init__(self, data: Any = None, *, episode: Episode, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.episode = episode

    def clean_held_at(self) -> datetime:
        held_at: datetime = self.cleaned_data["held_at"]
        if timezone.localdate(held_at) < self.episode.opened_on:
            raise forms.ValidationError("This is before the episode was opened.")
        if held_at > timezone.now() + FARTHEST_AHEAD:
            raise forms.ValidationError("This is more than a year ahead.")
        return held_at

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        held_at = cleaned.get("held_at")
        took_place = cleaned.get("attendance") in {Attendance.ATTENDED, Attendance.DID_NOT_ATTEND}
        if held_at and took_place and timezone.localdate(held_at) > timezone.localdate():
            self.add_error("attendance", "This session is still to come: leave it planned.")
        return cleaned


def session_as_initial(session: TherapySession) -> dict[str, Any]:
    return {"held_at": session.held_at, "modality": session.modality, "attendance": session.attendance}


class PaperRatingForm(forms.Form):
    """Four answers a client gave on paper or aloud, in points with at most one decimal; empty is "not answered"."""

    channel = forms.TypedChoiceField(
        label="How the client answered",
        choices=[(Channel.PAPER.value, "On paper"), (Channel.VERBAL.value, "Said aloud")],
        coerce=Channel,
        widget=forms.RadioSelect,
        initial=Channel.PAPER.value,
    )

    def __init__(self, data: Any = None, *, instrument: Instrument) -> None:
        super().__init__(data)
        self.instrument = instrument
        wording = instrument.wordings.get("en")
        for item in instrument.items:
            self.fields[item.id] = forms.CharField(
                label=item.label[:1].upper() + item.label[1:],
                help_text=wording.items[item.id].question if wording else "",
                required=False,
                max_length=12,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 6}),
            )
        self.fields["comment"] = forms.CharField(
            label="What the client wrote or said",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        answers: dict[str, int | None] = {}
        for item in self.instrument.items:
            try:
                answers[item.id] = tenths_from_text(cleaned.get(item.id, ""), item=item.id)
            except AnswerError as error:
                self.add_error(item.id, error.sentence)
        if not self.errors and all(value is None for value in answers.values()):
            raise forms.ValidationError(
                "Enter at least one answer. Leave a line empty where the client did not answer."
            )
        return {"answers": answers, "channel": cleaned.get("channel"), "comment": cleaned.get("comment", "")}


class CompletionForm(PaperRatingForm):
    """What the client said of the lines they had left out. The lines they marked stand in it and stay as they are.

    `seen`: the marks that stood when the page was drawn. The page writes it, never the person.
    """

    data: QueryDict
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, rating: Rating) -> None:
        super().__init__(data, instrument=instruments.get(rating.instrument, rating.instrument_version))
        self.fields["channel"].initial = Channel.VERBAL.value
        for item, tenths in rating.given.items():
            self._keep(item, points(tenths))
        if rating.comment:
            self._keep("comment", rating.comment)
        self.initial["seen"] = rating.code

    def _keep(self, name: str, text: str) -> None:
        self.fields[name].disabled = True
        self.fields[name].help_text = "As the client left it."
        self.initial[name] = text

    def shows_what_stands(self) -> None:
        """The page is drawn anew with the marks of now, so the next press is about those."""
        self.data = self.data.copy()
        self.data["seen"] = str(self.initial["seen"])

    def clean(self) -> dict[str, Any]:
        seen = self.cleaned_data.get("seen")
        return {**super().clean(), "seen": seen}
