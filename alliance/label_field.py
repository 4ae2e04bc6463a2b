"""The one field for labels, and the columns beside it in which they are searched and compared.

A key is written wherever its label is: `save` (also with update_fields), `bulk_create`, `update`, `bulk_update`.
No database function can do it: SQLite folds the case of ASCII alone.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from django import forms
from django.db import models

from alliance.encrypted_field import EncryptedField
from alliance.labels import clean_label, look_alike_key, search_key

Row = TypeVar("Row", bound=models.Model)


class LabelFormField(forms.CharField):
    """A label as a person types it, refused with a sentence where it holds what nobody sees."""

    def to_python(self, value: Any) -> str:
        return clean_label(str(super().to_python(value) or ""))


class LabelField(models.CharField):  # type: ignore[type-arg]
    """Stored as `clean_label` leaves it, whoever writes it: a form, an import, a command."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        cleaned = clean_label(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, cleaned)
        return cleaned

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return clean_label(super().clean(value, model_instance))

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": LabelFormField, **options})


class EncryptedLabelField(EncryptedField, LabelField):
    """A label that nobody searches for, such as which of several caregivers somebody is; sealed."""


class KeyField(models.TextField):  # type: ignore[type-arg]
    """A column that follows the label `of`. Without a limit: folded, one letter can become eighteen."""

    folded: Callable[[str], str]

    def __init__(self, of: str = "", **options: Any) -> None:
        self.of = of
        super().__init__(**{"editable": False, "blank": True, "default": "", **options})

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        return name, path, arguments, {"of": self.of, **options}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        key = type(self).folded(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, key)
        return key


class SearchKeyField(KeyField):
    folded = staticmethod(search_key)


class LookAlikeKeyField(KeyField):
    folded = staticmethod(look_alike_key)


def keys_of(row: type[models.Model], labels: Collection[str]) -> list[KeyField]:
    """The columns that follow these fields of the row."""
    return [one for one in row._meta.local_fields if isinstance(one, KeyField) and one.of in labels]


class LabelledQuerySet(models.QuerySet[Row]):
    """Statements about many rows, which call no `save`."""

    def update(self, **values: Any) -> int:
        for key in keys_of(self.model, values):
            if hasattr(values[key.of], "resolve_expression"):
                if key.name not in values:
                    raise TypeError(f"The database cannot work out {key.name}: write {key.of} as a text.")
                continue
            values[key.of] = clean_label(values[key.of])
            values[key.name] = type(key).folded(values[key.of])
        return super().update(**values)

    def bulk_update(self, objs: Iterable[Row], fields: Iterable[str], batch_size: int | None = None) -> int:
        rows, names = list(objs), list(fields)
        keys = keys_of(self.model, names)
        for row in rows:
            for key in keys:
                setattr(row, key.of, clean_label(getattr(row, key.of)))
                key.pre_save(row, add=False)
        return super().bulk_update(rows, [*names, *(key.name for key in keys)], batch_size)

    def bulk_create(self, objs: Iterable[Row], *arguments: Any, **options: Any) -> list[Row]:
        options["update_fields"] = _with_keys(self.model, options.get("update_fields"))
        return super().bulk_create(objs, *arguments, **options)


class Labelled(models.Model):
    """A row with a label and its keys."""

    class Meta:
        abstract = True

    def save(self, *arguments: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        super().save(*arguments, update_fields=_with_keys(type(self), update_fields), **options)


def _with_keys(row: type[models.Model], fields: Iterable[str] | None) -> list[str] | None:
    if fields is None:
        return None
    names = list(fields)
    return [*names, *(key.name for key in keys_of(row, names) if key.name not in names)]
