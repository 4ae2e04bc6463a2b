"""What a leader, a supervisor or an administrator enters about a group."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from alliance.form_keys import FormKeyField
from alliance.label_field import LabelFormField
from alliance.line_field import LineField
from alliance.models import User
from alliance.stale_forms import opened_with
from clients.forms import TherapistField
from clients.plausible_days import PlausibleDay
from sessions_app.courses.models import VOID_REASON, Modality
from sessions_app.groups.models import GROUP_SESSION_LENGTH, Group, GroupMember, GroupSession, Kind
from sessions_app.groups.session_actions import would_count_nowhere
from sessions_app.intake.session_facts import MINUTE
from sessions_app.intake.session_forms import DateTimeInput


def _name_field() -> LabelFormField:
    return LabelFormField(
        label="Name",
        max_length=40,
        help_text="Such as: Thursday group. Not a person’s name. No client sees it.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )


def _kind_field() -> forms.ChoiceField:
    return forms.ChoiceField(label="Kind", choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.GROUP)


class NewGroupForm(forms.Form):
    """A therapist leads the group that they make; an administrator says who does."""

    name = _name_field()
    kind = _kind_field()
    leader = TherapistField()
    co_leader = TherapistField(label="Second leader", required=False)
    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, by: User) -> None:
        super().__init__(data)
        self.by = by
        if not by.is_administrator:
            del self.fields["leader"]

    def clean(self) -> dict[str, Any]:
        return {"leader": self.by, **self.cleaned_data}


class GroupForm(forms.Form):
    name = _name_field()
    kind = _kind_field()

    def __init__(self, data: Any = None, *, group: Group) -> None:
        stored = {"name": group.name, "kind": group.kind}
        super().__init__(data, initial=stored)
        opened_with(self, row=group.code, stored=stored)


class LeadersForm(forms.Form):
    leader = TherapistField()
    co_leader = TherapistField(label="Second leader", required=False)

    def __init__(self, data: Any = None, *, group: Group) -> None:
        stored = {"leader": group.leader_id, "co_leader": group.co_leader_id}
        super().__init__(data, initial=stored)
        opened_with(self, row=group.code, stored=stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("leader") and cleaned["leader"] == cleaned.get("co_leader"):
            self.add_error("co_leader", "Choose two different people, or one leader alone.")
        return cleaned


class BeginForm(forms.Form):
    """When the session began, and who is there: everybody, until somebody is unticked."""

    present = forms.MultipleChoiceField(
        label="Who is there?",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose who is there: a session of a group has at least one person.",
            "invalid_choice": "Somebody you chose is no longer in this group. Look at the list again.",
        },
    )
    held_at = forms.DateTimeField(
        label="Began", widget=DateTimeInput(), validators=[PlausibleDay(timedelta(0))]
    )
    minutes = forms.IntegerField(
        label="Minutes", min_value=5, max_value=600, initial=GROUP_SESSION_LENGTH // MINUTE
    )
    modality = forms.ChoiceField(label="How", choices=Modality.choices)
    form_key = FormKeyField()

    def __init__(self, data: Any = None, *, members: list[GroupMember]) -> None:
        super().__init__(data, initial={"held_at": _to_five_minutes(timezone.localtime())})
        names = [(str(member.code), member.episode.client.label) for member in members]
        self.fields["present"].choices = names  # type: ignore[attr-defined]
        self.initial["present"] = [code for code, _ in names]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        minutes = cleaned.pop("minutes", None)
        return {**cleaned, "length": timedelta(minutes=minutes) if minutes else GROUP_SESSION_LENGTH}


def _to_five_minutes(now: datetime) -> datetime:
    """The last full five minutes: a session that has just begun."""
    return now - timedelta(minutes=now.minute % 5, seconds=now.second, microseconds=now.microsecond)


class VoidGroupSessionForm(forms.Form):
    """Why a session of a group counts no more."""

    why = LineField(
        label="Why",
        max_length=VOID_REASON,
        help_text="Such as: entered twice. Do not name anybody: it stands in the course of each member.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write in one line why."},
    )

    def __init__(self, data: Any = None, *, group_session: GroupSession) -> None:
        super().__init__(data)
        opened_with(self, row=group_session.code, stored=would_count_nowhere(group_session))
