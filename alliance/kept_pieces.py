"""Pieces of pages that are rendered once for each language and release, and for what they are given.

A piece is given nothing of the page around it: no request and no person. `kept` gives it nothing at all; `drawn` gives
it one value, all that it shows, which is also the key by which it is kept: a stale piece cannot be shown.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, Template
from django.template.loader import get_template
from django.urls import get_script_prefix
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from alliance.kept_values import Kept

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


# A longer one is drawn each time: a line of the log may name thousands of clients.
LONGEST_KEPT = 4000
_rows: Kept[SafeString] = Kept(3000)  # about 1 KB each


def drawn(name: str, rows: Iterable[tuple[Any, ...]]) -> list[SafeString]:
    """The template of this name for each of `rows`, which it is given as `row`.

    rows: named tuples of plain values (text, numbers, days, UUIDs, other such tuples), that hold all that it shows.
    """
    around = (name, translation.get_language(), timezone.get_current_timezone_name(), release(name))
    template, found = around[-1][0], []
    for row in rows:
        key = (*around, row, _types(row))
        piece = _rows.get(key)
        if piece is None:
            piece = mark_safe(template.render(Context({"row": row})))  # noqa: S308 - a template escapes what it shows
            if len(piece) <= LONGEST_KEPT:
                _rows.put(key, piece)
        found.append(piece)
    return found


def _types(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of each value: 1, 1.0 and True are equal, as are a text and the same HTML, and a page shows them differently."""
    return tuple(_types(value) if isinstance(value, tuple) else type(value) for value in row)
