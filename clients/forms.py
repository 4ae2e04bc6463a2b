"""The forms about people. They clean and explain; what may be written is decided in `actions`."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils import timezone

from alliance.form_keys import FormKeyField, key_of_press
from alliance.label_field import LabelFormField
from alliance.labels import LONGEST_SEARCH, key_asked_for, look_alike_key, search_key
from alliance.models import Role, User
from alliance.quick_select import QuickSelect
from alliance.stale_forms import opened_with
from clients.models import Client, Ending, Episode, EpisodeQuerySet, Supervision
from clients.plausible_days import A_YEAR, NOT_AHEAD, PlausibleDay

ROLES = [
    (Role.THERAPIST, "Therapist: sees their own clients"),
    (Role.SUPERVISOR, "Supervisor: sees the clients of the therapists they supervise"),
    (Role.ADMINISTRATOR, "Administrator: manages people, sees no ratings"),
]
CLIENT_FIELDS = ("label", "language", "age_band")


def day_field(*, ahead: timedelta = A_YEAR, **options: Any) -> forms.DateField:
    """A plausible day, at most `ahead` of today."""
    return searched_day(validators=[PlausibleDay(ahead)], **options)


def searched_day(**options: Any) -> forms.DateField:
    """Any day: of a search, which finds nothing where nothing is."""
    return forms.DateField(
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "Write the date as year, month, day: 2026-03-31."},
        **options,
    )


class _Staff(ModelChoiceIterator):  # type: ignore[type-arg]
    """Everybody by name, without a row of each: for one choice, hundreds of them were made.

    Two whose names may be taken for each other are told apart by their address.
    """

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        yield "", self.field.empty_label
        people = list(self.queryset.values_list("pk", "name", "email", "name_key", "name_look"))
        known = Counter(key for *_, search, look in people for key in {search, look})
        for pk, name, email, search, look in people:
            is_shared = name and max(known[search], known[look]) > 1
            yield pk, f"{name}, {email}" if is_shared else name or email


class TherapistField(forms.ModelChoiceField):  # type: ignore[type-arg]
    iterator = _Staff

    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.with_role(Role.THERAPIST), empty_label="Choose", **options)


class SupervisorField(forms.ModelChoiceField):  # type: ignore[type-arg]
    iterator = _Staff

    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.with_role(Role.SUPERVISOR), empty_label="Choose", **options)


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

    def managed(self, user: User) -> EpisodeQuerySet:
        """The episodes among which clients are looked for."""
        return Episode.objects.managed_by(user)

    def shown(self, wanted: str, managed: EpisodeQuerySet) -> Q:
        """Which clients are listed. managed: the episodes of a client among which is looked."""
        is_open, is_managed = Exists(managed.open()), Exists(managed)
        return Q({"closed": ~is_open & is_managed, "all": is_managed}.get(wanted, is_open))

    def found_for(self, user: User) -> QuerySet[Client]:
        wanted = self.cleaned_data if self.is_valid() else {}
        managed = self.managed(user).filter(client=OuterRef("pk"))
        rows = Client.objects.filter(self.shown(wanted.get("show", ""), managed))
        if label := wanted.get("q"):
            rows = rows.with_label_like(label)
        return rows.order_by("label_key", "registered_at")


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
        if client:
            opened_with(self, row=client.code, stored=stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        label = cleaned.get("label", "")
        is_new = self.client is None or label != self.client.label
        if label and is_new and (other := self._alike(label)):
            self.fields["same_label"].widget = forms.CheckboxInput()
            if not cleaned["same_label"]:
                self.add_error("label", _same_label(label, other))
        cleaned.pop("same_label")
        return cleaned

    def _alike(self, label: str) -> Client | None:
        """A client whom this person may know and whose label may be taken for this one, the same label first."""
        rows = Client.objects.visible_to(self.by).filter(merged_into__isnull=True)
        if self.client:
            rows = rows.exclude(pk=self.client.pk)
        if made := self._made_before():
            rows = rows.exclude(code=made)
        key = search_key(label)
        found = list(rows.filter(Q(label_key=key) | Q(label_look=look_alike_key(label))))
        return min(found, key=lambda client: (client.label_key != key, client.pk), default=None)

    def _made_before(self) -> UUID | None:
        """What this form itself made, if it was sent before."""
        return None


def _same_label(label: str, other: Client) -> str:
    if other.label_key == search_key(label):
        return "There is a client with this label. If this is another one, say so."
    return (
        f"There is a client whose label looks like this one: {other.label}. If this is another one, say so."
    )


class RegisterForm(ClientForm):
    therapist = TherapistField()
    opened_on = day_field(label="Opened on", initial=timezone.localdate)
    form_key = FormKeyField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _offer_therapists(self)

    def clean(self) -> dict[str, Any]:
        return {"therapist": self.by, **super().clean()}

    def _made_before(self) -> UUID | None:
        return key_of_press(self.cleaned_data.get("form_key"), "client", self.by.pk)


class EpisodeForm(forms.Form):
    therapist = TherapistField()
    opened_on = day_field(label="Opened on", initial=timezone.localdate)

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
    closed_on = day_field(label="Closed on", initial=timezone.localdate, ahead=NOT_AHEAD)
    ending = forms.ChoiceField(
        label="How it ended",
        choices=[(Ending.PLANNED, "As planned"), (Ending.UNPLANNED, "Not as planned")],
        widget=forms.RadioSelect,
    )


# --- Staff ---------------------------------------------------------------------------------------


class PersonSearch(forms.Form):
    q = forms.CharField(label="Name or e-mail", required=False, widget=forms.TextInput({"type": "search"}))

    def found(self) -> QuerySet[User]:
        wanted = self.cleaned_data["q"][:LONGEST_SEARCH] if self.is_valid() else ""
        # An address is stored in small letters. Not by its key: what is typed of one has no accents to leave out.
        is_like = Q(name_key__contains=key_asked_for(wanted)) | Q(email__contains=wanted.lower())
        rows = User.objects.filter(is_like)
        return rows.order_by("-is_active", "name", "email")


class RolesField(forms.TypedMultipleChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=ROLES, coerce=Role, widget=forms.CheckboxSelectMultiple, **options)

    def clean(self, value: Any) -> set[Role]:
        return set(super().clean(value))


class NameForm(forms.Form):
    """A name; asked about where somebody else has it, or one that may be taken for it."""

    name = LabelFormField(max_length=80, widget=forms.TextInput({"autocomplete": "off"}))
    same_name = forms.BooleanField(
        label="This is another person with the same name", required=False, widget=forms.HiddenInput
    )

    def __init__(self, *arguments: Any, person: User | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.person = person

    def _is_about(self) -> UUID | None:
        """Whose own name is not somebody else's."""
        return self.person.pk if self.person else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, is_another = cleaned.get("name", ""), cleaned.pop("same_name", False)
        if name and (self.person is None or name != self.person.name) and (other := self._alike(name)):
            self.fields["same_name"].widget = forms.CheckboxInput()
            if not is_another:
                said = f"{other.name} ({other.email}) has this name, or one that looks like it."
                self.add_error("name", f"{said} If this is another person, say so.")
        return cleaned

    def _alike(self, name: str) -> User | None:
        rows = User.objects.filter(Q(name_key=search_key(name)) | Q(name_look=look_alike_key(name)))
        if known := self._is_about():
            rows = rows.exclude(pk=known)
        return rows.order_by("-is_active", "email").first()


class InviteForm(NameForm):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput({"autocomplete": "off"}))
    roles = RolesField(error_messages={"required": "Choose at least one role."})
    form_key = FormKeyField()
    field_order = ("form_key", "name")  # `clean_email` asks what it made

    def __init__(self, *arguments: Any, by: User, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.by = by

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        rows = User.objects.filter(email__iexact=email)
        if made := self._is_about():
            rows = rows.exclude(pk=made)
        if rows.exists():
            raise forms.ValidationError("Somebody with this e-mail address is on the list already.")
        return email

    def _is_about(self) -> UUID | None:
        """Whom it added itself, if it was sent before."""
        return key_of_press(self.cleaned_data.get("form_key"), "person", self.by.pk)


class EmailForm(forms.Form):
    """Which address may be written is decided by the action: it is the same for everybody."""

    email = forms.EmailField(
        label="New e-mail address", widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *arguments: Any, person: User, **options: Any) -> None:
        super().__init__(*arguments, **options)
        opened_with(self, row=person.pk, stored={"email": person.email})


class PersonForm(NameForm):
    roles = RolesField(required=False)
    is_active = forms.BooleanField(
        label="May sign in",
        help_text="Taking this away signs the person out everywhere, at once.",
        required=False,
    )
    successor = TherapistField(
        label="Takes over the open clients",
        help_text="Where somebody leaves, all open clients go to this colleague as of today. "
        "To give them to several colleagues, transfer the caseload first.",
        required=False,
    )

    def __init__(self, *arguments: Any, person: User, **options: Any) -> None:
        stored = {"name": person.name, "roles": person.roles, "is_active": person.is_active}
        super().__init__(*arguments, person=person, initial=stored, **options)
        opened_with(self, row=person.pk, stored=stored)
        successor: Any = self.fields["successor"]
        successor.queryset = successor.queryset.exclude(pk=person.pk)
        if not Episode.objects.open().filter(therapist=person).exists():
            del self.fields["successor"]


class SupervisionForm(forms.Form):
    supervisor = SupervisorField()
    therapist = TherapistField()
    starts_on = day_field(label="From", initial=timezone.localdate)


class EndSupervisionForm(forms.Form):
    last_day = day_field(
        label="Last day",
        help_text="The last day on which the supervisor sees this therapist's clients.",
        initial=timezone.localdate,
    )

    def __init__(self, *arguments: Any, supervision: Supervision, **options: Any) -> None:
        super().__init__(*arguments, **options)
        opened_with(self, row=supervision.code, stored={"last_day": supervision.ends_on})
