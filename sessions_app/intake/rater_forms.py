"""What a therapist fills in to give a form to a caregiver, and the forms that staff answer on their own screen."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from alliance.days import day
from alliance.encrypted_field import refuse_stand_in
from alliance.form_keys import FormKeyField
from alliance.label_field import LabelFormField
from alliance.line_field import LineField
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, Item, Wording
from alliance.measurement.scoring import AnswerError, points, scale_end, tenths_from_text
from clients.models import Episode
from sessions_app.courses.models import TherapySession
from sessions_app.courses.raters import RATER_LABEL, Rater
from sessions_app.courses.responses import WHY, QuestionnaireResponse
from sessions_app.instruments import choices, offers
from sessions_app.instruments.lines import has_faces
from sessions_app.intake.form_sets import ToFillIn
from sessions_app.intake.which_session import COMES

FEW_POINTS = 11  # more possible answers than these are typed
SESSIONS_OFFERED = 12


def forms_for(rater: Rater) -> list[Instrument]:
    """The questionnaires that this rater can be given on a screen today."""
    today = timezone.localdate()
    named = [one for one in instruments.questionnaires() if rater in one.raters]
    return [one for one in named if not offers.obstacle(one, today)]


def sessions_for(episode: Episode) -> list[TherapySession]:
    """The sessions at which a form can be given: those to come, and those of the last seven days."""
    now = timezone.now()
    rows = TherapySession.objects.filter(episode=episode, attendance__in=COMES).order_by("held_at")
    possible = [one for one in rows if now < one.not_rated_from]
    return possible[:SESSIONS_OFFERED]


class CaregiverForm(forms.Form):
    """Which form, at which session, for whom, and in which language."""

    session = forms.ChoiceField(label="Session")
    instrument = forms.ChoiceField(label="Form")
    label = LabelFormField(
        label="Who fills it in",
        required=False,
        max_length=RATER_LABEL,
        help_text="Such as “mother”, and no name. Where several answer, it tells them apart: write it the same way.",
        widget=forms.TextInput({"autocomplete": "off", "dir": "auto", "list": "caregivers-so-far"}),
    )
    language = forms.ChoiceField(label="Language of this form", choices=settings.LANGUAGES)
    form_key = FormKeyField()

    def __init__(
        self,
        data: Any = None,
        *,
        episode: Episode,
        sessions: list[TherapySession],
        offered: list[Instrument],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial={"language": episode.client.language, **(initial or {})})
        self.sessions = {str(one.code): one for one in sessions}
        self.offered = {one.id: one for one in offered}
        now = timezone.now()
        self.fields["session"].choices = [  # type: ignore[attr-defined]
            (code, f"Session {one.number}, {day(one.held_at, 'l j F, H:i')}")
            for code, one in self.sessions.items()
        ]
        self.fields["instrument"].choices = [  # type: ignore[attr-defined]
            (one.id, f"{one.name}, about {one.minutes} minute{'' if one.minutes == 1 else 's'}")
            for one in offered
        ]
        # Chosen on the page that led here, else the latest one that has begun.
        past = [code for code, one in self.sessions.items() if one.held_at <= now]
        self.fields["session"].initial = past[-1] if past else next(iter(self.sessions), None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        form = ToFillIn(
            self.offered[cleaned["instrument"]], Rater.CAREGIVER, cleaned["label"], cleaned["language"]
        )
        return {
            "session": self.sessions[cleaned["session"]],
            "form": form,
            "form_key": cleaned.get("form_key"),
        }


class ResponseForm(forms.Form):
    """A therapist's answers to a questionnaire of their own. Empty is "not answered"."""

    form_key = FormKeyField()
    # The answers that stood when the page was drawn. The page writes it, never the person.
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        instrument: Instrument,
        wording: Wording,
        stands: QuestionnaireResponse | None = None,
        may_share: str = "",
    ) -> None:
        super().__init__(data, initial=_as_it_stands(instrument, stands) if stands else {})
        self.instrument, self.wording, self.stands = instrument, wording, stands
        for item in instrument.items:
            self.fields[item.id] = answer_field(instrument, item, wording)
        self.fields["comment"] = forms.CharField(
            label="A note",
            required=False,
            max_length=2000,
            validators=[refuse_stand_in],
            widget=forms.Textarea({"rows": 2, "dir": "auto"}),
        )
        if may_share:
            self.fields["share_comment"] = forms.BooleanField(label=may_share, required=False)
        if stands:
            self.fields["why"] = LineField(
                label="Why these take the place of the answers that stand",
                max_length=WHY,
                help_text="Such as: mistyped. What stood before stays readable.",
                widget=forms.TextInput({"autocomplete": "off"}),
                error_messages={"required": "Say in one line why."},
            )

    def shows_what_stands(self) -> None:
        """The page is drawn anew with the answers of now, so the next press is about those."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data["seen"] = str(self.stands.code) if self.stands else ""
        self.data = data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        answers = answers_of(self, self.instrument, cleaned)
        if not self.errors and all(value is None for value in answers.values()):
            raise forms.ValidationError("Answer at least one question. Leave one empty that has no answer.")
        return {
            "answers": answers,
            "comment": cleaned.get("comment", ""),
            "share_comment": cleaned.get("share_comment", False),
            "why": cleaned.get("why", ""),
            "seen": cleaned.get("seen"),
            "form_key": cleaned.get("form_key"),
        }


def answers_of(form: forms.Form, instrument: Instrument, cleaned: dict[str, Any]) -> dict[str, int | None]:
    """In tenths; what cannot be right becomes an error of its field."""
    answers: dict[str, int | None] = {}
    for item in instrument.items:
        given = cleaned.get(item.id, "")
        if has_few_points(item):
            answers[item.id] = int(given) if given else None
            continue
        try:
            answers[item.id] = tenths_from_text(
                given, item=item.id, minimum=item.minimum, maximum=item.maximum
            )
        except AnswerError as error:
            form.add_error(item.id, error.sentence)
    return answers


def _as_it_stands(instrument: Instrument, stands: QuestionnaireResponse) -> dict[str, Any]:
    """What a correction begins with."""
    answers = {
        item.id: str(tenths) if has_few_points(item) else points(tenths)
        for item in instrument.items
        if (tenths := stands.answers.get(item.id)) is not None
    }
    return {**answers, "comment": stands.comment, "share_comment": stands.share_comment, "seen": stands.code}


def has_few_points(item: Item) -> bool:
    return (item.maximum - item.minimum) // item.step < FEW_POINTS


def answer_field(instrument: Instrument, item: Item, wording: Wording) -> forms.Field:
    words = wording.items[item.id]
    if has_few_points(item):
        labels = {one.tenths: one.label for one in choices.choices_of(item, wording)}
        return forms.ChoiceField(
            label=words.question,
            required=False,
            choices=[(str(tenths), _named(tenths, labels)) for tenths in _tenths(item)]
            + [("", "Not answered")],
            widget=forms.RadioSelect,
        )
    low, high = scale_end(item.minimum), scale_end(item.maximum)
    ends = (
        f"{low} is “{words.low_end}”, {high} “{words.high_end}”."
        if words.low_end
        else f"From {low} to {high}."
    )
    if has_faces(instrument):
        ends = (
            f"{low} is “{words.low_end}”, {high} “{words.high_end}”."
            if words.low_end
            else f"From {low} to {high}."
        )
    return forms.CharField(
        label=words.question,
        help_text=ends,
        required=False,
        max_length=12,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "size": 6}),
    )


def _tenths(item: Item) -> range:
    return range(item.minimum, item.maximum + 1, item.step)


def _named(tenths: int, labels: dict[int, str]) -> str:
    return f"{scale_end(tenths)}: {labels[tenths]}" if labels.get(tenths) else scale_end(tenths)
