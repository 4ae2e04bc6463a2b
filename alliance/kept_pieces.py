"""Pieces of pages that are the same for everybody: rendered once for each language and release.

A piece is given nothing of the page around it: no request, no person, no value. What depends on any of these
is no piece for here.
"""

from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Template
from django.template.loader import get_template
from django.urls import get_script_prefix
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

Release = tuple[Template, str, str, str]


def kept(name: str) -> SafeString:
    """The template of this name, rendered without a context."""
    return _rendered(name, translation.get_language(), release(name))


def release(name: str) -> Release:
    """What a new release, other templates, or another place of the static files change in every page."""
    files: Any = staticfiles_storage
    # The template itself: Django reads its templates anew by making other ones.
    template: Template = get_template(name).template  # type: ignore[attr-defined]
    return template, files.base_url, getattr(files, "manifest_hash", ""), get_script_prefix()


@lru_cache(maxsize=100)
def _rendered(name: str, language: str | None, of: Release) -> SafeString:
    with translation.override(language):
        return mark_safe(get_template(name).render())  # noqa: S308 - a template escapes what it shows
