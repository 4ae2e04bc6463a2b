"""A note in one line, as a person types it or pastes it from somewhere else."""

import unicodedata
from typing import Any

from django import forms

from alliance.encrypted_field import refuse_stand_in

# Of the signs that cannot be seen these belong to how a language is written; the others come with what is
# pasted, or turn the words around them.
_OF_WRITING = frozenset("\u200c\u200d\u200e\u200f")


class LineField(forms.CharField):
    """White space becomes single spaces, signs that nobody sees are left out; where nothing else is, it is empty."""

    default_validators = [refuse_stand_in]  # noqa: RUF012 - Django declares it so

    def to_python(self, value: Any) -> str:
        words = str(super().to_python(value) or "").split()
        seen = "".join(sign for sign in " ".join(words) if not _is_unseen(sign) or sign in _OF_WRITING)
        return " ".join(seen.split()) if seen.strip(" " + "".join(_OF_WRITING)) else ""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "dir": "auto"}  # it is read from the side it is written from


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs"}
