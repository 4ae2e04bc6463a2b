"""What the clinic chose about the form that clients read: its languages, and its words on where to find help now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet, Subquery

from alliance.measurement.instruments import Instrument
from alliance.prepared import Prepared
from sessions_app.instruments.clinic_settings import ClinicSettings, languages_at_first
from sessions_app.instruments.nearest_language import nearest

# The order in which pages list them.
TAGS = tuple(tag for tag, _name in settings.LANGUAGES)
NAMES = {tag: str(name) for tag, name in settings.LANGUAGES}


@dataclass(frozen=True)
class UrgentHelp:
    """The clinic's own words, and the language they are in: where theirs is missing, clients read another."""

    language: str
    text: str
    is_about_risk: bool = False  # of a form that asks about self-harm: not folded away


@dataclass(frozen=True)
class ClientForm:
    """languages: in which our own form may be read. helps: every text of the clinic, by language."""

    languages: tuple[str, ...]
    helps: tuple[UrgentHelp, ...] = ()

    def urgent_help(self, language: str) -> UrgentHelp | None:
        """None where the clinic has written nothing: then no page says a word about it.

        A number to call helps in any language, so that another text is better than none.
        """
        texts = {one.language: one for one in self.helps}
        return texts[nearest(texts, language)] if texts else None

    def spoken_to(self, language: str) -> str:
        """The language of the pages around the form for who reads this one: the nearest that the clinic chose."""
        return nearest(self.languages or TAGS, language)

    def of(self, instrument: Instrument) -> list[str]:
        """The languages in which our own wording of this instrument is given; one at least."""
        shipped = [tag for tag in TAGS if tag in instrument.wordings]
        return [tag for tag in shipped if tag in self.languages] or shipped[:1]


def _newest() -> QuerySet[ClinicSettings]:
    return ClinicSettings.objects.order_by("-version").only("languages", "urgent_help")[:1]


_NEWEST = Prepared(_newest)


def in_force() -> ClientForm:
    """As it is now; one query."""
    newest = _NEWEST.first()
    return read(newest.languages, newest.urgent_help) if newest else read(languages_at_first(), {})


def beside() -> dict[str, Subquery]:
    """Columns that bring what is in force along with a row of another query, for `came_with`."""
    newest = ClinicSettings.objects.order_by("-version")[:1]
    return {
        "form_languages": Subquery(newest.values("languages")),
        "form_urgent_help": Subquery(newest.values("urgent_help")),
    }


def came_with(row: Model) -> ClientForm:
    """As it came `beside` a row; of a row that was read without, as it is now.

    A raw query brings JSON as its text.
    """
    if not hasattr(row, "form_languages"):
        return in_force()
    if row.form_languages is None:
        return read(languages_at_first(), {})
    chosen = [
        json.loads(column) if isinstance(column, str) else column
        for column in (row.form_languages, row.form_urgent_help)  # type: ignore[attr-defined]
    ]
    return read(*chosen)


def read(languages: Sequence[str], texts: Mapping[str, Any]) -> ClientForm:
    helps = [UrgentHelp(tag, str(texts[tag])) for tag in TAGS if texts.get(tag)]
    return ClientForm(tuple(tag for tag in TAGS if tag in languages), tuple(helps))


def not_signed_off(instrument: Instrument, languages: Sequence[str]) -> list[str]:
    """Names of those of these languages whose wording, as we ship it, no clinician has signed off."""
    return [NAMES[tag] for tag in TAGS if tag in languages and tag not in instrument.signed_off]
