"""The forms about the plan: which form, for whom, when."""

import re
from typing import Any

from django import forms
from django.utils import timezone

from alliance.form_keys import FormKeyField
from alliance.line_field import LineField
from alliance.measurement import instruments
from alliance.measurement.form_plan import (
    ALWAYS,
    EVERY_AT_LEAST,
    EVERY_AT_MOST,
    LAST_NUMBER,
    NUMBERS_AT_MOST,
    Frequency,
    Moment,
)
from alliance.measurement.instruments import Instrument
from alliance.models import Role, User
from alliance.quick_select import QuickSelect
from alliance.stale_forms import opened_with
from clients.models import AgeBand
from sessions_app.courses.raters import Rater
from sessions_app.plans import can_be_given
from sessions_app.plans.choice_actions import in_words, scale_and_why, when_and_why
from sessions_app.plans.models import WHY, ForWhom, PlannedForm
from sessions_app.plans.plan_words import RATERS

MOMENTS = [
    (Moment.START.value, "At the start of a session"),
    (Moment.END.value, "At the end of a session"),
    (Moment.INTAKE.value, "Once, before or at the first session"),
    (Moment.ENDING.value, "At the last session, when the course ends"),
]
FREQUENCIES = [
    (Frequency.EACH.value, "At each session"),
    (Frequency.SESSIONS.value, "At every n-th session"),
    (Frequency.WEEKS.value, "Every n weeks, at the next session"),
    (Frequency.CHOSEN.value, "At these sessions"),
    (Frequency.ONCE.value, "Once, at the next session"),
]
RATING = {
    "moment": Moment.RATING.value,
    "frequency": ALWAYS[Moment.RATING].value,
    "every": None,
    "numbers": "",
}


def _moment_field() -> forms.ChoiceField:
    return forms.ChoiceField(label="When", choices=MOMENTS, widget=forms.RadioSelect)


def _frequency_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="How often",
        choices=FREQUENCIES,
        required=False,
        widget=forms.RadioSelect,
        help_text="Before the first session and at the last it is once.",
    )


class _TimingForm(forms.Form):
    """When a form is given; what does not matter for the choice that was made is left out of what is stored."""

    def add_timing(self) -> None:
        self.fields["moment"] = _moment_field()
        self.fields["frequency"] = _frequency_field()
        self.fields["every"] = forms.IntegerField(
            label="How many sessions, or weeks",
            required=False,
            min_value=1,
            max_value=EVERY_AT_MOST,
            help_text="From one time to the next: the n above.",
        )
        self.fields["numbers"] = forms.CharField(
            label="These sessions",
            required=False,
            max_length=100,
            help_text="By their numbers, as in: 3 and 9.",
            widget=forms.TextInput({"autocomplete": "off", "inputmode": "text"}),
        )

    def clean_numbers(self) -> str:
        """As “3,9”, in order, each once."""
        typed = self.cleaned_data["numbers"].strip()
        if re.search(r"[^\d\s,;.&]", re.sub(r"\band\b", " ", typed)):
            raise forms.ValidationError("Write the numbers of the sessions, as in: 3 and 9.")
        numbers = sorted({int(one) for one in re.findall(r"\d+", typed)})
        if any(not 1 <= one <= LAST_NUMBER for one in numbers):
            raise forms.ValidationError(f"Sessions have numbers from 1 to {LAST_NUMBER}.")
        if len(numbers) > NUMBERS_AT_MOST:
            raise forms.ValidationError(f"Choose at most {NUMBERS_AT_MOST} sessions, or every n-th one.")
        return ",".join(map(str, numbers))

    def clean_timing(self, cleaned: dict[str, Any]) -> None:
        moment, frequency = cleaned.get("moment"), cleaned.get("frequency")
        if moment in ALWAYS:
            frequency = cleaned["frequency"] = ALWAYS[Moment(moment)].value
        elif moment and not frequency and "frequency" not in self.errors:
            self.add_error("frequency", "Choose how often.")
        if frequency in EVERY_AT_LEAST:
            least, every = EVERY_AT_LEAST[Frequency(frequency)], cleaned.get("every")
            if "every" not in self.errors and (every is None or every < least):
                self.add_error("every", f"Write a number from {least} to {EVERY_AT_MOST}.")
        else:
            self._leave_out("every", None, cleaned)
        if frequency == Frequency.CHOSEN:
            if "numbers" not in self.errors and not cleaned.get("numbers"):
                self.add_error("numbers", "Write at least one session, as in: 3 and 9.")
        else:
            self._leave_out("numbers", "", cleaned)

    def _leave_out(self, name: str, nothing: Any, cleaned: dict[str, Any]) -> None:
        self.errors.pop(name, None)
        cleaned[name] = nothing


class _WhoseForm(forms.Form):
    """For whom, in the whole clinic."""

    def add_whose(self) -> None:
        people = {
            role: [(str(one.pk), str(one)) for one in User.objects.with_role(role)]
            for role in (Role.THERAPIST, Role.SUPERVISOR)
        }
        self.fields["age_band"] = forms.ChoiceField(
            label="Age of the client", choices=[("", "Any age"), *AgeBand.choices], required=False
        )
        self.fields["for_whom"] = forms.ChoiceField(
            label="For whom",
            choices=[one for one in ForWhom.choices if one[0] != ForWhom.COURSE],
            initial=ForWhom.CLINIC,
            widget=forms.RadioSelect,
        )
        self.fields["therapists"] = forms.MultipleChoiceField(
            label="These therapists",
            choices=people[Role.THERAPIST],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields["supervisor"] = forms.ChoiceField(
            label="Supervised by",
            choices=[("", "Choose"), *people[Role.SUPERVISOR]],
            required=False,
            widget=QuickSelect,
        )

    def clean_whose(self, cleaned: dict[str, Any]) -> None:
        whom = cleaned.get("for_whom")
        if whom == ForWhom.THERAPISTS:
            if not cleaned.get("therapists") and "therapists" not in self.errors:
                self.add_error("therapists", "Choose at least one therapist.")
            cleaned["therapists"] = sorted(cleaned.get("therapists", []))
        else:
            self.errors.pop("therapists", None)
            cleaned["therapists"] = []
        if whom == ForWhom.TEAM:
            if not cleaned.get("supervisor") and "supervisor" not in self.errors:
                self.add_error("supervisor", "Choose who supervises them.")
        else:
            self.errors.pop("supervisor", None)
            cleaned["supervisor"] = ""


class PlanForm(_TimingForm, _WhoseForm):
    """A questionnaire of the plan: added, `like` another one where that is given, or changed where `planned` is."""

    def __init__(
        self,
        data: Any = None,
        *,
        planned: PlannedForm | None = None,
        like: PlannedForm | None = None,
        row: object = None,
    ) -> None:
        shown = planned or like
        super().__init__(data, initial=shown.says if shown else None)
        self.fields["instrument"] = forms.ChoiceField(
            label="Form", choices=[("", "Choose"), *_named(instruments.questionnaires())]
        )
        self.add_timing()
        self.add_whose()
        _tie(self, planned, row)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.clean_timing(cleaned)
        self.clean_whose(cleaned)
        return cleaned


class ScaleForm(_WhoseForm):
    """On which scale the sessions of some clients are rated, in the place of the clinic's form."""

    def __init__(
        self,
        data: Any = None,
        *,
        planned: PlannedForm | None = None,
        like: PlannedForm | None = None,
        row: object = None,
    ) -> None:
        shown = planned or like
        super().__init__(data, initial=shown.says if shown else None)
        self.fields["instrument"] = forms.ChoiceField(
            label="Form of every session", choices=[("", "Choose"), *_named(instruments.session_scales())]
        )
        self.add_whose()
        _tie(self, planned, row)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.clean_whose(cleaned)
        if cleaned.get("for_whom") == ForWhom.CLINIC and not cleaned.get("age_band"):
            self.add_error(
                "age_band",
                "Choose an age, or some therapists. The form for everybody is chosen under Settings.",
            )
        return {**cleaned, **RATING}


def _tie(form: forms.Form, planned: PlannedForm | None, row: object) -> None:
    """To the press that adds a row, or to the row as its page showed it. row: the one whose page it is."""
    if planned is None:
        form.fields["form_key"] = FormKeyField()
    else:
        opened_with(form, row=row, stored=planned.says)


class CourseTimingForm(_TimingForm):
    """When one client is given a form, and why it is not as the clinic plans it."""

    def __init__(
        self,
        data: Any = None,
        *,
        offered: list[Instrument],
        row: object,
        chosen: PlannedForm | None = None,
        planned: PlannedForm | None = None,
    ) -> None:
        """chosen: what this client is given of it by now, otherwise than planned; planned: what the clinic plans."""
        stood = planned.says if planned and not chosen else {}
        super().__init__(data, initial={**stood, **(when_and_why(chosen) if chosen else {})})
        self.offered = offered
        if len(offered) != 1:
            self.fields["instrument"] = forms.ChoiceField(
                label="Form", choices=[("", "Choose"), *_named(offered)]
            )
        self.add_timing()
        self.fields["why"] = why_field()
        self.fields["form_key"] = FormKeyField()
        if len(offered) == 1:
            opened_with(self, row=f"{row} {offered[0].id}", stored=when_and_why(chosen))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.clean_timing(cleaned)
        if len(self.offered) == 1:
            cleaned["instrument"] = self.offered[0].id
        return cleaned


class CourseScaleForm(forms.Form):
    """On which scale the sessions of one client are rated."""

    def __init__(self, data: Any = None, *, row: object, chosen: PlannedForm | None = None) -> None:
        super().__init__(data, initial=scale_and_why(chosen))
        self.fields["instrument"] = forms.ChoiceField(
            label="Form of every session", choices=[("", "Choose"), *_named(instruments.session_scales())]
        )
        self.fields["why"] = why_field()
        self.fields["form_key"] = FormKeyField()
        opened_with(self, row=row, stored=scale_and_why(chosen))

    def clean(self) -> dict[str, Any]:
        return {**(super().clean() or {}), **RATING}


class SwitchOffForm(forms.Form):
    """Why one client is not given a form."""

    def __init__(
        self, data: Any = None, *, row: object, form: Instrument, chosen: PlannedForm | None
    ) -> None:
        super().__init__(data)
        self.fields["why"] = why_field()
        opened_with(self, row=f"{row} {form.id}", stored=in_words(chosen))


def why_field() -> LineField:
    return LineField(
        label="Why",
        max_length=WHY,
        help_text="In one line. It stays with this client’s forms; your supervisor can read it.",
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Write in one line why."},
    )


def _named(offered: tuple[Instrument, ...] | list[Instrument]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each by its name, for whom it is made, who fills it in, and how long that takes.

    Grouped, by name: three dozen in one list are found neither by reading nor by typing the first letters.
    """
    cannot = can_be_given.obstacles(offered, timezone.localdate())
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in _GROUPS}
    for one in sorted(offered, key=lambda one: one.name.casefold()):
        by_the_client = _CAN_BE_GIVEN if one.raters[0] == Rater.CLIENT else _OF_OTHERS
        label = f"{one.name} ({', '.join(_notes(one))})"
        groups[_NOT_YET if cannot[one.id] else by_the_client].append((one.id, label))
    return [(name, choices) for name, choices in groups.items() if choices]


_CAN_BE_GIVEN, _NOT_YET, _OF_OTHERS = (
    "Ready to give",
    "Needs a wording, a licence or a confirmation first",
    "Filled in by somebody else than the client",
)
_GROUPS = (_CAN_BE_GIVEN, _OF_OTHERS, _NOT_YET)


def _notes(one: Instrument) -> list[str]:
    by = next((words for rater, words in RATERS.items() if one.raters[0] == rater), "")
    about = [f"ages {one.ages}", f"about {one.minutes} minute{'s' if one.minutes > 1 else ''}"]
    return [*about, f"filled in by {by}"] if by else about
