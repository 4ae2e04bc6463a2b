"""What a therapist enters: sessions, ratings given on paper or aloud, conversations."""

from typing import Any

from django import forms
from django.utils import timezone

from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import AnswerError, tenths_from_text
from clients.models import Episode
from clients.plausible_days import PlausibleDay
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Attendance, Modality, TherapySession
from sessions_app.intake import opening_day


class DateTimeInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class SessionForm(forms.Form):
    """A therapy session: when, how, and whether it took place."""

    held_at = forms.DateTimeField(label="Date and time", widget=DateTimeInput(), validators=[PlausibleDay()])
    move_opening = forms.BooleanField(
        label="Move the opening day", required=False, widget=forms.HiddenInput()
    )
    modality = forms.ChoiceField(label="How", choices=Modality.choices)
    attendance = forms.ChoiceField(label="Attendance", choices=Attendance.choices)

    def __init__(self, data: Any = None, *, episode: Episode, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.episode = episode

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        held_at = cleaned.get("held_at")
        opening_day.ask(self, self.episode, held_at)
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
