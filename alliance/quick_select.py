"""A choice among hundreds, drawn at once."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SELECTED, NOT_SELECTED = SafeString(" selected"), SafeString("")


class QuickSelect(forms.Select):
    """As Django's, without groups. Django draws each option by a template: most of a page with all staff on it."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = set(self.format_value(value))
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            ((key, SELECTED if str(key) in chosen else NOT_SELECTED, label) for key, label in self.choices),
        )
        all_attrs = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(all_attrs), options)
