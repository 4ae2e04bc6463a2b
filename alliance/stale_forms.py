"""What a form was opened with, so that a save writes what the person changed, and overwrites nothing they did not see.

    class ClientForm:                       opened_with(self, row=client.code, stored={"label": client.label, ...})
    def change_client(*, opened_with=None): new = changed(opened_with, stored=..., typed=...)   # under the row's lock

The form carries the values that its page showed, signed. The action reads what is stored now, under the lock of the
row, and `changed` tells what to write. Where the row is another than the page showed, it raises `Stale`; then
`show_both` puts both versions on the page, and the next press is about what is stored now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core import signing
from django.http import QueryDict
from django.utils.choices import flatten_choices
from django.utils.dateparse import parse_date, parse_datetime

from alliance.refused import Refused

NAME = "opened_with"
NOT_SET, NOT_TOUCHED = "not set", "nothing new"
MEANWHILE = (
    "This was changed since you opened the page, so nothing was saved. What you entered is still in the form; what you "
    "did not touch is now as it is stored. Look at both, then press once more."
)
UNKNOWN = (
    "This page does not say what it was opened with, so nothing was saved. What you entered is still in the form. "
    "Compare it with what is stored, then press once more."
)
OTHERWISE = (
    "Things are not as they were when you opened the page, so nothing was done. "
    "Look at what is new, then press once more if it is still right."
)
# As a page shows one value, and as a browser sends it.
Shown = str | bool | list[str]


class Stale(Refused):
    """The row is another than the page showed; `stored`: as it is now."""

    def __init__(self, stored: Mapping[str, Any], sentence: str) -> None:
        super().__init__(sentence)
        self.stored = stored


@dataclass(frozen=True)
class Opened:
    """The values that a page showed. None: it does not say, or not about this row."""

    values: Mapping[str, Shown] | None
    fields: Mapping[str, forms.Field]

    def shown(self, values: Mapping[str, Any]) -> dict[str, Shown]:
        return {name: as_shown(self.fields.get(name), value) for name, value in values.items()}


def changed(
    opened_with: Opened | None, *, stored: Mapping[str, Any], typed: Mapping[str, Any]
) -> dict[str, Any]:
    """What of `typed` is to be written over `stored`: nothing where it says the same.

    Without `opened_with` nobody looked at a page: what is given counts. Two values that a page shows alike are one:
    a time of day is shown without its seconds, and loses none by a save.
    """
    if opened_with is None:
        return {name: value for name, value in typed.items() if value != stored[name]}
    now, wanted = opened_with.shown(stored), opened_with.shown(typed)
    if all(now[name] == value for name, value in wanted.items()):
        return {}
    if opened_with.values != now:
        raise Stale(stored, MEANWHILE if opened_with.values is not None else UNKNOWN)
    return {name: value for name, value in typed.items() if wanted[name] != now[name]}


def refuse_if_changed(opened_with: Opened | None, stored: Mapping[str, Any]) -> None:
    """For a page with a button: what it says of how things stand must be so when the button is pressed."""
    if opened_with is not None and opened_with.values != opened_with.shown(stored):
        raise Stale(stored, OTHERWISE)


# --- The form ------------------------------------------------------------------------------------


class OpenedWith(forms.CharField):
    """The hidden field. Its clean value is an `Opened`.

    Signed for one form and one row, so that nobody makes one up or takes it from elsewhere. It holds what the page
    shows and no more.
    """

    widget = forms.HiddenInput

    def __init__(
        self, form: forms.BaseForm, row: object, stored: Mapping[str, Any], labels: Mapping[str, str]
    ) -> None:
        super().__init__(required=False)
        self.labels = labels
        self.salt = f"{type(form).__module__}.{type(form).__qualname__}:{row}"
        self.fields = form.fields
        self.initial = self.signed(stored)

    def signed(self, stored: Mapping[str, Any]) -> str:
        return signing.dumps(Opened(None, self.fields).shown(stored), salt=self.salt, compress=True)

    def clean(self, value: Any) -> Opened:
        try:
            return Opened(signing.loads(super().clean(value), salt=self.salt), self.fields)
        except signing.BadSignature:
            return Opened(None, self.fields)


def opened_with(
    form: forms.BaseForm, *, row: object, stored: Mapping[str, Any], labels: Mapping[str, str] | None = None
) -> None:
    """Let `form` carry `stored`: by the names of its fields, or by the words of what its page says of the row.

    labels: of fields that are called otherwise beside their old value than above their new one.
    """
    form.fields[NAME] = OpenedWith(form, row, stored, labels or {})


class StateForm(forms.Form):
    """A button on a page that says how things stand with one row: `says`, {in words: how it is}."""

    def __init__(self, data: Any = None, *, row: object, says: Mapping[str, Any]) -> None:
        super().__init__(data)
        opened_with(self, row=row, stored=says)


def as_shown(field: forms.Field | None, value: Any) -> Shown:
    if field is None:
        return NOT_SET if value in (None, "") else str(value)
    if isinstance(field, forms.BooleanField):
        return bool(value)
    value = field.prepare_value(value)
    if isinstance(field, forms.MultipleChoiceField):
        return sorted(str(one) for one in value or ())
    if isinstance(field, forms.ChoiceField):
        return "" if value is None else str(value)
    shown: str | None = field.widget.format_value(value)
    return shown or ""


# --- Both versions -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    """One value on the page, in words: when it was opened, stored now, and typed. None: there is nothing to say."""

    label: str
    opened: str | None
    stored: str
    typed: str | None


def show_both(form: forms.BaseForm, stale: Stale) -> None:
    """Put both versions on the page of `form`, and let its next press be about what is stored now.

    What was typed stays in its field; a field that nobody touched takes what is stored, else the next press would
    write the old value after all.
    """
    field = form.fields[NAME]
    said: Opened = _understood(form, NAME)
    now = said.shown(stale.stored)
    typed = {
        name: as_shown(form.fields[name], _understood(form, name)) for name in now if name in form.fields
    }
    data: Any = form.data.copy()  # type: ignore[attr-defined]
    for name, value in typed.items():
        if said.values is not None and value == said.values.get(name):
            _put(data, form.add_prefix(name), now[name])
    _put(data, form.add_prefix(NAME), field.signed(stale.stored))  # type: ignore[attr-defined]
    form.data = data
    form.versions = _versions(form, said.values, now, typed)  # type: ignore[attr-defined]
    form.add_error(None, str(stale))


def _understood(form: forms.BaseForm, name: str) -> Any:
    """What was sent, as its field understood it: a label without the spaces around it."""
    try:
        return form.fields[name].clean(form[name].data)
    except forms.ValidationError:
        return None


def _put(data: Any, name: str, value: Shown) -> None:
    if isinstance(value, list) and isinstance(data, QueryDict):
        data.setlist(name, value)
    elif value is False:
        data.pop(name, None)  # a box that is not ticked is not sent
    else:
        data[name] = "on" if value is True else value


def _versions(
    form: forms.BaseForm,
    opened: Mapping[str, Shown] | None,
    now: Mapping[str, Shown],
    typed: Mapping[str, Shown],
) -> Sequence[Version]:
    found = []
    for name in now:
        before = None if opened is None else opened.get(name)
        if before == now[name] == typed.get(name, now[name]):
            continue
        field, labels = form.fields.get(name), form.fields[NAME].labels  # type: ignore[attr-defined]
        found.append(
            Version(
                label=labels.get(name) or (str(form[name].label) if field else name),
                opened=None if before is None else in_words(field, before),
                stored=in_words(field, now[name]),
                typed=_entered(field, before, typed[name]) if name in typed else None,
            )
        )
    return found


def _entered(field: forms.Field | None, before: Shown | None, typed: Shown) -> str:
    return NOT_TOUCHED if typed == before else in_words(field, typed)


def in_words(field: forms.Field | None, value: Shown) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(field, forms.ChoiceField):
        # The stubs of this function know groups alone, and those of fields more than a list.
        pairs: Any = flatten_choices(field.choices)  # type: ignore[arg-type]
        choices = {str(key): str(label) for key, label in pairs}
        named = [one for one in choices if one in value] if isinstance(value, list) else [value]
        return ", ".join(choices.get(one, one) for one in named) or NOT_SET
    said = str(value)
    if isinstance(field, forms.DateTimeField) and (moment := parse_datetime(said)):
        return f"{moment:%-d %B %Y, %H:%M}"
    if isinstance(field, forms.DateField) and (found := parse_date(said)):
        return f"{found:%-d %B %Y}"
    return said or NOT_SET
