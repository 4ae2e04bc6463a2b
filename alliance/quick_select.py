"""A choice among hundreds, drawn at once."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alliance.kept_values import Kept

# Pages ask for the same options again and again. The key holds everything that they show.
_options: Kept[SafeString] = Kept(50)
SELECTED, NOT_SELECTED = SafeString(" selected"), SafeString("")


class QuickSelect(forms.Select):
    """As Django's, without groups. Django draws each option by a template: most of a page with all staff on it."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        # A text and the same HTML are equal, and only one of them is escaped.
        choices = tuple((str(key), label, hasattr(label, "__html__")) for key, label in self.choices)
        asked = choices, frozenset(self.format_value(value))
        options = _options.get(asked)
        if options is None:
            options = _drawn(*asked)
            _options.put(asked, options)
        all_attrs = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(all_attrs), options)


def _drawn(choices: Iterable[tuple[str, Any, bool]], chosen: frozenset[str]) -> SafeString:
    return format_html_join(
        "\n",
        '<option value="{}"{}>{}</option>',
        ((key, SELECTED if key in chosen else NOT_SELECTED, label) for key, label, _ in choices),
    )
