"""What a therapist enters: sessions, ratings given on paper or aloud, conversations."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from alliance.encrypted_field import refuse_stand_in
from alliance.form_keys import FormKeyField
from alliance.line_field import LineField
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, Item
from alliance.measurement.scoring import AnswerError, points, scale_end, tenths_from_text
from alliance.stale_forms import opened_with
from clients.models import Episode
from clients.plausible_days import PlausibleDay
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import (
    SESSION_LENGTH,
    VOID_REASON,
    Attendance,
    Modality,
    Rating,
    TherapySession,
)
from sessions_app.intake import opening_day
from sessions_app.intake.session_actions import there_already
from sessions_app.intake.session_facts import MINUTE, as_stored, would_count_nowhere
from sessions_app.intake.which_session import at_the_same_time


class DateTimeInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class SessionForm(forms.Form):
    """A therapy session: when, how long, how, and whether it took place.

    Where one of the same client starts at the same time already, the person is asked whether this is `another`.
    """

    held_at = forms.DateTimeField(label="Date and time", widget=DateTimeInput(), validators=[PlausibleDay()])
    move_opening = forms.BooleanField(
        label="Move the opening day", required=False, widget=forms.HiddenInput()
    )
    minutes = forms.IntegerField(
        label="Minutes", min_value=5, max_value=600, required=False, initial=SESSION_LENGTH // MINUTE
    )
    modality = forms.ChoiceField(label="How", choices=Modality.choices)
    attendance = forms.ChoiceField(label="Attendance", choices=Attendance.choices)
    another = forms.BooleanField(
        label="This is another session at the same time", required=False, widget=forms.HiddenInput()
    )
    form_key = FormKeyField()

    def __init__(
        self,
        data: Any = None,
        *,
        episode: Episode,
        session: TherapySession | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """session: the one that is changed; None where one is added."""
        stored = as_stored(session) if session else {}
        super().__init__(data, initial=initial or stored)
        self.episode, self.session = episode, session
        if session is not None:
            del self.fields["form_key"]  # changed twice to the same, it is as changed once
            opened_with(self, row=session.code, stored=stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        held_at = cleaned.get("held_at")
        opening_day.ask(self, self.episode, held_at)
        took_place = cleaned.get("attendance") in {Attendance.ATTENDED, Attendance.DID_NOT_ATTEND}
        if held_at and took_place and timezone.localdate(held_at) > timezone.localdate():
            self.add_error("attendance", "This session is still to come: leave it planned.")
        if held_at:
            self._ask_whether_another(held_at)
        minutes = cleaned.pop("minutes", None)
        cleaned["length"] = timedelta(minutes=minutes) if minutes else self._length
        return cleaned

    @property
    def _length(self) -> timedelta:
        return SESSION_LENGTH if self.session is None else self.session.ends_at - self.session.held_at

    def _ask_whether_another(self, held_at: datetime) -> None:
        if self.session is not None and held_at == self.session.held_at:
            return
        there = at_the_same_time(
            self.episode, held_at, besides=self.session, form_key=self.cleaned_data.get("form_key")
        )
        if there is not None:
            self.fields["another"].widget = forms.CheckboxInput()
            if not self.cleaned_data.get("another"):
                self.add_error("another", there_already(there))


class VoidForm(forms.Form):
    """Why a session counts no more."""

    why = LineField(
        label="Why",
        max_length=VOID_REASON,
        help_text="Such as: entered twice, or for another client. It stays readable with the session.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write in one line why."},
    )

    def __init__(self, data: Any = None, *, session: TherapySession) -> None:
        super().__init__(data)
        opened_with(self, row=session.code, stored=would_count_nowhere(session))


def _asked(instrument: Instrument, item: Item) -> str:
    """The question, where the words are ours; of faces on paper also which end is which figure."""
    wording = instrument.wordings.get("en")
    question = wording.items[item.id].question if wording else ""
    if instrument.format != "faces":
        return question
    ends = f"{scale_end(item.minimum)} is at the sad face, {scale_end(item.maximum)} at the glad one."
    return f"{question} {ends}".strip()


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
        for item in instrument.items:
            self.fields[item.id] = forms.CharField(
                label=item.label[:1].upper() + item.label[1:],
                help_text=_asked(instrument, item),
                required=False,
                max_length=12,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 6}),
            )
        self.fields["comment"] = forms.CharField(
            label="What the client wrote or said",
            required=False,
            max_length=2000,
            validators=[refuse_stand_in],
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


class NewRatingForm(PaperRatingForm):
    """The first marks of a session; sent twice, they are stored once."""

    form_key = FormKeyField()

    def clean(self) -> dict[str, Any]:
        form_key = self.cleaned_data.get("form_key")
        return {**super().clean(), "form_key": form_key}


class CompletionForm(NewRatingForm):
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
