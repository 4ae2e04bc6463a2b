"""The forms about people. They clean and explain; what may be written is decided in `actions`."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils import timezone
from django.utils.functional import cached_property

from alliance.log_by_client import NamesAny
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, Role, User
from alliance.quick_select import QuickSelect
from clients import access_log
from clients.models import Client, Ending, Episode

ROLES = [
    (Role.THERAPIST, "Therapist: sees their own clients"),
    (Role.SUPERVISOR, "Supervisor: sees the clients of the therapists they supervise"),
    (Role.ADMINISTRATOR, "Administrator: manages people, sees no ratings"),
]
# Further ahead than this, the year is more likely to be a slip than a plan.
FAR_AHEAD = timedelta(days=365)
CLIENT_FIELDS = ("label", "language", "age_band")


def day_field(**options: Any) -> forms.DateField:
    return forms.DateField(
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "Write the date as year, month, day: 2026-03-31."},
        **options,
    )


def _today_or_before(day: date) -> None:
    if day > timezone.localdate():
        raise forms.ValidationError("This day is still to come.")


def _not_far_ahead(day: date) -> None:
    if day > timezone.localdate() + FAR_AHEAD:
        raise forms.ValidationError("This day is more than a year ahead. Is the year right?")


FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)


class TherapistField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.with_role(Role.THERAPIST), empty_label="Choose", **options)


class _Staff(ModelChoiceIterator):  # type: ignore[type-arg]
    """Everybody by name, without a row of each: for one choice, hundreds of them were made."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        yield "", self.field.empty_label
        for pk, name, email in self.queryset.values_list("pk", "name", "email"):
            yield pk, name or email


class StaffField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of all staff, whoever may sign in and who may not any more."""

    iterator = _Staff
    widget = QuickSelect

    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.order_by("name", "email"), **options)


# --- Clients and episodes ------------------------------------------------------------------------


class ClientSearch(forms.Form):
    """The clients a person manages: all of the clinic for an administrator, one's own for a therapist."""

    q = forms.CharField(label="Label", required=False, widget=forms.TextInput({"type": "search"}))
    show = forms.ChoiceField(
        label="Show",
        choices=[("open", "Open episodes"), ("closed", "Closed"), ("all", "All")],
        required=False,
        initial="open",
    )

    def found_for(self, user: User) -> QuerySet[Client]:
        wanted = self.cleaned_data if self.is_valid() else {}
        managed = Episode.objects.managed_by(user).filter(client=OuterRef("pk"))
        is_open, is_managed = Exists(managed.open()), Exists(managed)
        shown = {"closed": ~is_open & is_managed, "all": is_managed}.get(wanted.get("show", ""), is_open)
        rows = Client.objects.filter(shown)
        if label := wanted.get("q"):
            rows = rows.filter(label__icontains=label)
        return rows.order_by("label", "registered_at")


class ClientForm(forms.ModelForm):  # type: ignore[type-arg]
    same_label = forms.BooleanField(
        label="This is another client with the same label", required=False, widget=forms.HiddenInput
    )

    class Meta:
        model = Client
        fields = CLIENT_FIELDS
        # Else the browser keeps the labels that were typed, and offers them to whoever holds it next.
        widgets = {"label": forms.TextInput({"autocomplete": "off"})}  # noqa: RUF012

    field_order = ("label", "same_label")

    def __init__(self, *args: Any, by: User, client: Client | None = None, **options: Any) -> None:
        # Initial values, not an instance: a refused change must not show in the page's title.
        stored = {name: getattr(client, name) for name in CLIENT_FIELDS} if client else {}
        super().__init__(*args, **{"initial": stored, **options})
        self.by, self.client = by, client

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        alike = Client.objects.visible_to(self.by).filter(label__iexact=cleaned.get("label", ""))
        if self.client:
            alike = alike.exclude(pk=self.client.pk)
        if alike.exists():
            self.fields["same_label"].widget = forms.CheckboxInput()
            if not cleaned["same_label"]:
                self.add_error("label", "There is a client with this label. If this is another one, say so.")
        cleaned.pop("same_label")
        return cleaned


class RegisterForm(ClientForm):
    therapist = TherapistField()
    opened_on = day_field(label="Opened on", initial=timezone.localdate, validators=[_not_far_ahead])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _offer_therapists(self)

    def clean(self) -> dict[str, Any]:
        return {"therapist": self.by, **super().clean()}


class EpisodeForm(forms.Form):
    therapist = TherapistField()
    opened_on = day_field(label="Opened on", initial=timezone.localdate, validators=[_not_far_ahead])

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.by = by
        _offer_therapists(self)

    def clean(self) -> dict[str, Any]:
        return {"therapist": self.by, **self.cleaned_data}


def _offer_therapists(form: RegisterForm | EpisodeForm) -> None:
    """An administrator chooses the therapist; a therapist is it."""
    if not form.by.is_administrator:
        del form.fields["therapist"]
    elif form.by.is_therapist:
        form.fields["therapist"].initial = form.by.pk


class CloseForm(forms.Form):
    closed_on = day_field(label="Closed on", initial=timezone.localdate, validators=[_today_or_before])
    ending = forms.ChoiceField(
        label="How it ended",
        choices=[(Ending.PLANNED, "As planned"), (Ending.UNPLANNED, "Not as planned")],
        widget=forms.RadioSelect,
    )


class TransferForm(forms.Form):
    therapist = TherapistField(label="New therapist")
    on = day_field(
        label="Day of the transfer",
        help_text="The last day with the former therapist and the first with the new one.",
        initial=timezone.localdate,
        validators=[_today_or_before],
    )


# --- Staff ---------------------------------------------------------------------------------------


class PersonSearch(forms.Form):
    q = forms.CharField(label="Name or e-mail", required=False, widget=forms.TextInput({"type": "search"}))

    def found(self) -> QuerySet[User]:
        wanted = self.cleaned_data["q"] if self.is_valid() else ""
        rows = User.objects.filter(Q(name__icontains=wanted) | Q(email__icontains=wanted))
        return rows.order_by("-is_active", "name", "email")


class RolesField(forms.TypedMultipleChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=ROLES, coerce=Role, widget=forms.CheckboxSelectMultiple, **options)

    def clean(self, value: Any) -> set[Role]:
        return set(super().clean(value))


class InviteForm(forms.Form):
    name = forms.CharField(max_length=80, widget=forms.TextInput({"autocomplete": "off"}))
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput({"autocomplete": "off"}))
    roles = RolesField(error_messages={"required": "Choose at least one role."})

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("Somebody with this e-mail address is on the list already.")
        return email


class EmailForm(forms.Form):
    """Which address may be written is decided by the action: it is the same for everybody."""

    email = forms.EmailField(
        label="New e-mail address", widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false"})
    )


class PersonForm(forms.Form):
    name = forms.CharField(max_length=80, widget=forms.TextInput({"autocomplete": "off"}))
    roles = RolesField(required=False)
    is_active = forms.BooleanField(
        label="May sign in",
        help_text="Taking this away signs the person out everywhere, at once.",
        required=False,
    )


class SupervisionForm(forms.Form):
    supervisor = forms.ModelChoiceField(User.objects.with_role(Role.SUPERVISOR), empty_label="Choose")
    therapist = TherapistField()
    starts_on = day_field(label="From", initial=timezone.localdate, validators=[_not_far_ahead])


class EndSupervisionForm(forms.Form):
    last_day = day_field(
        label="Last day",
        help_text="The last day on which the supervisor sees this therapist's clients.",
        initial=timezone.localdate,
        validators=[_not_far_ahead],
    )


# --- The access log ------------------------------------------------------------------------------


EVERYTHING = "everything"


class LogSearch(forms.Form):
    person = StaffField(label="Done by", empty_label="Anybody", required=False)
    client = forms.CharField(label="Client", required=False, widget=forms.TextInput({"type": "search"}))
    action = forms.ChoiceField(
        label="What",
        choices=[
            ("", "Everything but looks at lists"),
            (EVERYTHING, "Everything"),
            *((event.value, event.capitalize()) for event in sorted(access_log.asked_for())),
        ],
        required=False,
        widget=QuickSelect,
    )
    since = day_field(label="From", required=False)
    until = day_field(label="To and including", required=False)

    def found(self) -> QuerySet[AuditEvent]:
        if not self.is_valid():
            return AuditEvent.objects.none()
        person, client, action, since, until = (self.cleaned_data[name] for name in self.fields)
        rows = access_log.told()
        if person:
            rows = rows.filter(actor=person.pk)
        if client:
            # By an expression: PostgreSQL must not read the log backwards until it has met fifty such lines.
            rows = rows.filter(NamesAny(self.about)).order_by((F("pk") + 0).desc())
        if action and action != EVERYTHING:
            rows = rows.filter(action=action)
        # Under the looks at lists everything else would drown. Whoever asks about one client wants to know
        # of those too.
        if not action and not client:
            rows = rows.exclude(action=LogEvent.LISTED)
        if since:
            rows = rows.filter(at__gte=_midnight(since))
        if until:
            rows = rows.filter(at__lt=_midnight(min(until, LAST_DAY) + timedelta(days=1)))
        return rows

    @cached_property
    def about(self) -> frozenset[UUID]:
        """The codes of the clients whose label has what was asked for in it; none where nothing was asked."""
        label = self.cleaned_data.get("client") if self.is_valid() else None
        if not label:
            return frozenset()
        return frozenset(Client.objects.filter(label__icontains=label).values_list("code", flat=True))

    def in_codes(self) -> dict[str, str]:
        """What was asked for, as the log may keep it: a client's label is left out."""
        asked = {name: value for name, value in self.cleaned_data.items() if value and name != "client"}
        return {name: str(value.pk if name == "person" else value) for name, value in asked.items()}


def _midnight(day: date) -> datetime:
    # A year off either end of the calendar has no midnight in every zone.
    return timezone.make_aware(datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time.min))
