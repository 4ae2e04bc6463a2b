"""The form before anybody marked anything: rendered once for all who are given the same one, then filled in.

Danger: what is kept here is shown to the next client. So the page is rendered from a `Blank` alone, which knows no
grant, no request and no person; the two values of one client, the permission to deliver and the CSRF token, stand
in it as marks that are replaced in each answer. Whatever else the page depends on must be a field of `Blank`:
equal ones are one page.
"""

import re
import secrets
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Self, cast

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import get_template
from django.utils import translation
from django.utils.html import escape

from alliance import kept_pieces, languages, sealing
from alliance.device_lock import DeviceLock
from alliance.measurement import instruments
from alliance.measurement.instruments import (
    SECONDS_AN_ITEM,
    Instrument,
    Item,
    ItemWording,
    PointLabel,
    Section,
    Wording,
)
from sessions_app.courses import wordings
from sessions_app.courses.grants import RatingGrant
from sessions_app.instruments import client_form, promise_words, promises
from sessions_app.instruments.choices import Question, QuestionSection, has_choices, questions_of, sections_of
from sessions_app.instruments.client_form import UrgentHelp
from sessions_app.instruments.lines import BANDS, Line, lines_to_read
from sessions_app.instruments.promise_words import PromiseWords
from sessions_app.instruments.promises import Promised
from sessions_app.intake import form_facts, help_now, sealed_upload
from sessions_app.intake.rate_forms import COMMENT_LENGTH

PAGES_KEPT = 200  # of 30 to 100 kB: instruments, languages and ways a form comes to a device
# No page shows it, and a bad line carries 300 bytes less without it.
_INDENTATION = re.compile(r"\n[ \t]+")
# Drawn anew by each process: no wording of a clinic can hold them.
_TOKEN, _CSRF = f"token-{secrets.token_hex(16)}", f"csrf-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class Blank:
    """Everything that the page of an unmarked form is made of."""

    instrument: str
    version: str
    # The wording itself and not its name: another edition is another page, whatever it is called.
    language: str
    title: str
    introduction: str
    items: tuple[tuple[str, ItemWording], ...]
    points: tuple[PointLabel, ...]
    sections: tuple[Section, ...]
    stem: str
    copyright: str
    ranges: tuple[Item, ...]  # as the wording states them
    place: tuple[int, int]  # among the forms that are given together
    languages: tuple[str, ...]
    urgent_help: UrgentHelp | None
    spoken: str | None  # the language of all that is not the instrument's
    promise: Promised
    channel: str
    is_demo: bool
    sealed_to: tuple[str, str]
    release: kept_pieces.Release

    @classmethod
    def of(cls, grant: RatingGrant, lock: DeviceLock) -> Self:
        wording, chosen = wordings.shown(grant), client_form.came_with(grant)
        return cls(
            instrument=grant.instrument,
            version=grant.instrument_version,
            language=wording.language,
            title=wording.title,
            introduction=wording.introduction,
            items=tuple(wording.items.items()),
            points=wording.points,
            sections=wording.sections,
            stem=wording.stem,
            copyright=wording.copyright,
            ranges=wordings.instrument_of(grant).items,
            place=form_facts.place_of(grant),
            languages=tuple(wordings.languages_of(grant, chosen)),
            urgent_help=help_now.on_the_form(
                instruments.get(grant.instrument, grant.instrument_version), wording.language, chosen
            ),
            spoken=translation.get_language(),
            promise=promises.promised(grant, grant.rater),
            channel=lock.channel,
            is_demo=settings.DEMO,
            sealed_to=sealing.public_key(),
            release=kept_pieces.release(template_of(wordings.instrument_of(grant))),
        )

    @property
    def form(self) -> Instrument:
        return replace(instruments.get(self.instrument, self.version), items=self.ranges)


@dataclass(frozen=True)
class UnmarkedForm:
    """What the template asks of a `RatingForm`, where nothing was sent yet."""

    blank: Blank

    @property
    def wording(self) -> Wording:
        blank = self.blank
        return Wording(
            blank.language,
            blank.title,
            blank.introduction,
            dict(blank.items),
            points=blank.points,
            sections=blank.sections,
            stem=blank.stem,
            copyright=blank.copyright,
        )

    @cached_property
    def lines(self) -> list[Line] | list[Question]:
        form, wording = self.blank.form, self.wording
        return questions_of(form, wording, {}) if has_choices(form) else lines_to_read(form, wording)

    @property
    def sections(self) -> list[QuestionSection]:
        return sections_of(self.wording, cast("list[Question]", self.lines))

    @property
    def unmarked(self) -> list[Line] | list[Question]:
        return self.lines

    @property
    def offered_languages(self) -> list[tuple[str, str]]:
        return [(tag, languages.own_name(tag)) for tag in self.blank.languages]


def words_of(promised: Promised, form: Instrument) -> PromiseWords:
    """What this form promises about who sees it, in the language that is spoken."""
    has_comment = form_facts.has_comment(form)
    return promise_words.words(
        promised, of_answers=has_choices(form), has_comment=has_comment, together=form.together
    )


def template_of(instrument: Instrument) -> str:
    return "rate/inventory.html" if has_choices(instrument) else "rate/form.html"


def facts(instrument: Instrument, place: tuple[int, int], channel: str) -> dict[str, Any]:
    """What the page says and does by the length of its form, and by its place among others."""
    return {
        "idle_seconds": form_facts.idle_seconds(instrument, channel),
        "cleared_after": form_facts.cleared_after_said(form_facts.idle_seconds(instrument, channel)),
        "seconds_a_question": SECONDS_AN_ITEM["choices"],
        "length": form_facts.length_said(instrument),
        "place": form_facts.place_said(place),
        "following": form_facts.following_said(place),
        "has_comment": form_facts.has_comment(instrument),
        "has_choices": has_choices(instrument),
        "together": instrument.together,
    }


def page(request: HttpRequest, grant: RatingGrant, lock: DeviceLock) -> str:
    """The page of an unmarked form for the client who holds this grant."""
    kept = _page_of(Blank.of(grant, lock))
    return kept.replace(_TOKEN, escape(sealed_upload.token_for(grant))).replace(_CSRF, get_token(request))


@lru_cache(maxsize=PAGES_KEPT)
def _page_of(blank: Blank) -> str:
    with translation.override(blank.spoken):
        page = get_template(template_of(blank.form)).render(
            {
                "form": UnmarkedForm(blank),
                "promise": words_of(blank.promise, blank.form),
                **facts(blank.form, blank.place, blank.channel),
                "urgent_help": blank.urgent_help,
                "bands": list(BANDS),
                "comment_length": COMMENT_LENGTH,
                "sealed_to": blank.sealed_to,
                "lock": DeviceLock(token="", return_to="", channel=blank.channel),
                "demo": blank.is_demo,
                "token": _TOKEN,
                "csrf_token": _CSRF,
            }
        )
        return _INDENTATION.sub("\n", page)
