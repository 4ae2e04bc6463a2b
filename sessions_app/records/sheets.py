"""What one person may take away as files: sheets of columns and rows, made from the table of all fields.

Rows come in pages by their number: no cursor of the database stays open (a pool between site and database may end it),
and no more than a page is in memory.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from alliance.encrypted_field import Sealed
from alliance.erasures import Erasure
from alliance.measurement import instruments
from alliance.measurement.scoring import points
from alliance.models import Role, User
from clients.models import Client, Episode
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments import missing_answers
from sessions_app.instruments.promises import Door
from sessions_app.records import foreign_marks, promised
from sessions_app.records.field_kinds import (
    CLIENT,
    OFFICE,
    SAID,
    THERAPIST,
    Computed,
    Field,
    Secrecy,
    Table,
)
from sessions_app.records.field_table import TABLES

PAGE = 1000


class Part(StrEnum):
    """Which rows: in what a person is to those clients."""

    OWN = "own"
    SUPERVISED = "supervised"
    CLINIC = "clinic"


IF_USED = frozenset(
    {
        "forms_chosen",
        "questionnaires",
        "questionnaire_decisions",
        "answers_about_self_harm",
        "notes_about_self_harm",
    }
)

READS: dict[Part, Secrecy] = {Part.OWN: THERAPIST, Part.SUPERVISED: SAID, Part.CLINIC: OFFICE}
ROLES = {Part.OWN: Role.THERAPIST, Part.SUPERVISED: Role.SUPERVISOR, Part.CLINIC: Role.ADMINISTRATOR}


def parts_of(user: User) -> list[Part]:
    return [part for part, role in ROLES.items() if user.has_any_role(frozenset({role}))]


class ErasedMeanwhile(Exception):
    """A client was erased while a file was being made: it must not be finished."""


def _erasures_so_far() -> int:
    return Erasure.objects.done().count()


@dataclass(frozen=True)
class Scope:
    """Whose rows, and who reads them. client: those of one alone. door: the way on which the marks leave."""

    user: User
    part: Part
    client: Client | None = None
    door: Door = Door.EXPORT
    erasures: int = field(default_factory=_erasures_so_far)

    def episodes(self) -> QuerySet[Episode]:
        rows = Episode.objects.none()
        if self.part == Part.OWN:
            rows = Episode.objects.own(self.user)
        elif self.part == Part.SUPERVISED:
            rows = Episode.objects.supervised_by(self.user)
        elif self.part in parts_of(self.user):
            rows = Episode.objects.all()
        return rows if self.client is None else rows.filter(client=self.client)

    def clients(self) -> list[UUID]:
        return list(
            Client.objects.filter(pk__in=self.episodes().values("client")).values_list("code", flat=True)
        )

    def rows(self, table: Table) -> "QuerySet[Any]":
        if self.part not in parts_of(self.user):
            return table.rows().none()
        if not table.about:
            return table.rows()
        if table.model == CLIENT and self.part == Part.CLINIC and self.client is None:
            return table.rows()  # also those who have no episode
        way = "pk__in" if table.model == CLIENT else f"{table.episode or 'pk'}__in"
        of = self.episodes().values("client" if table.model == CLIENT else "pk")
        rows = foreign_marks.left_out(table.rows().filter(**{way: of}), self.episodes())
        return promised.through(rows, table, self.doors)

    @property
    def doors(self) -> tuple[Door, ...]:
        return (self.door, Door.SUPERVISOR) if self.part == Part.SUPERVISED else (self.door,)

    def refuse_if_erased_meanwhile(self) -> None:
        if _erasures_so_far() != self.erasures:
            raise ErasedMeanwhile


@dataclass(frozen=True)
class Column:
    """One column. value: for files; words: for people to read. Both are given what `lookups` find."""

    name: str
    says: str
    lookups: tuple[str, ...]
    value: Callable[..., Any]
    words: Callable[..., str]
    for_people: bool = True


@dataclass(frozen=True)
class Sheet:
    table: Table
    columns: tuple[Column, ...]
    keys: int  # how many of the first columns say to whom a row belongs

    @property
    def name(self) -> str:
        return self.table.sheet

    @property
    def header(self) -> list[str]:
        return [one.name for one in self.columns]


def sheets(part: Part) -> list[Sheet]:
    """Those of this part, in the order of the table."""
    found = []
    for table in TABLES:
        if not table.sheet or (part != Part.CLINIC and not table.about):
            continue
        own = list(_own_columns(table, part))
        if own:
            keys = list(_keys(table))
            found.append(Sheet(table, (*keys, *own), len(keys)))
    return found


def named(scope: Scope) -> list[Sheet]:
    """The sheets that a page names: of questionnaires only those with rows, for most clinics give none."""
    return [one for one in sheets(scope.part) if one.name not in IF_USED or scope.rows(one.table).exists()]


def raw_rows(sheet: Sheet, scope: Scope) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Each row as what its columns' lookups found; a page at a time, so that a caller may look up between them."""
    lookups = [name for one in sheet.columns for name in one.lookups]
    ends = list(accumulate(len(one.lookups) for one in sheet.columns))
    places = [
        slice(1 + end - len(one.lookups), 1 + end) for one, end in zip(sheet.columns, ends, strict=True)
    ]
    rows = scope.rows(sheet.table).order_by("pk")
    if missing_answers.IN_FORCE in lookups:
        rows = rows.annotate(**missing_answers.beside())
    after = None
    while True:
        page = rows if after is None else rows.filter(pk__gt=after)
        found = list(page.values_list("pk", *lookups)[:PAGE])
        scope.refuse_if_erased_meanwhile()
        for row in found:
            yield [row[place] for place in places]
        if len(found) < PAGE:
            return
        after = found[-1][0]


def values(sheet: Sheet, scope: Scope) -> Iterator[list[Any]]:
    """The rows as files hold them: whole numbers, true and false, texts, None."""
    for row in raw_rows(sheet, scope):
        yield [one.value(*found) for one, found in zip(sheet.columns, row, strict=True)]


# --- Columns -------------------------------------------------------------------------------------


def _keys(table: Table) -> Iterator[Column]:
    """To whom the row belongs: the same first columns in every sheet."""
    ways = [("client_code", "the client", table.about[0], "code")] if table.about else []
    if ways:
        ways.append(("client_label", "as the clinic wrote it", table.about[0], "label"))
    if table.episode is not None:
        ways.append(("episode_code", "the course of therapy", table.episode, "code"))
    if table.session is not None:
        ways.append(("session_code", "the session", table.session, "code"))
        ways.append(("session_number", "its place in the course", table.session, "number"))
    own = {one.name for one in table.fields.values()}
    for name, says, way, last in ways:
        if name not in own:
            lookup = f"{way}__{last}" if way not in {"", "pk"} else last
            yield Column(name, says, (lookup,), _plain, _in_words, for_people=False)


def _own_columns(table: Table, part: Part) -> Iterator[Column]:
    reads = READS[part]
    model = table.rows().model
    for name, one in table.fields.items():
        if one.name and one.secrecy <= reads:
            for found in _columns(model._meta.get_field(name), one):
                yield (
                    _only_if_shared(found, table)
                    if one.secrecy == SAID and part == Part.SUPERVISED
                    else found
                )
    for name, computed in table.computed.items():
        if computed.secrecy <= reads:
            yield _computed(name, computed)


def _columns(of: "models.Field[Any, Any]", one: Field) -> Iterator[Column]:
    if of.name == "answers" and of.model is QuestionnaireResponse:
        # As they are; a column beside it has them in words.
        yield Column(f"{one.name}_tenths", one.says, (of.name,), _plain, _in_words, for_people=False)
    elif of.name == "answers":
        yield from _lines(of.name)
    elif of.name == "total":
        in_tenths, in_points = _ranges(of)
        yield Column(
            "total_tenths",
            f"{one.says}; in tenths{in_tenths}",
            (of.name,),
            _plain,
            _in_words,
            for_people=False,
        )
        yield Column(
            "total_points",
            f"{one.says}; in points{in_points}",
            (of.name,),
            _points,
            _points_in_words,
        )
    elif of.is_relation:
        last = "name" if of.related_model is User else "code"
        yield Column(
            one.name, one.says, (f"{of.name}__{last}",), _plain, _in_words, for_people=last == "name"
        )
    elif of.choices:
        words = dict(of.flatchoices)
        yield Column(one.name, one.says, (of.name,), _plain, lambda value: str(words.get(value, value or "")))
    else:
        # Codes and figures of the site's own are for programs; a letter has its name beside it.
        for_people = not isinstance(of, models.UUIDField | models.JSONField) and of.name not in _FOR_PROGRAMS
        yield Column(one.name, one.says, (of.name,), _plain, _in_words, for_people)


_FOR_PROGRAMS = {
    "rule",
    "number",
    "settings_version",
    "instrument_version",
    "is_new",
    "open_until",
    "accept_until",
}


def _ranges(of: "models.Field[Any, Any]") -> tuple[str, str]:
    """The range of a total in tenths and in points; of questionnaires each has its own, so nothing is said."""
    if of.model is QuestionnaireResponse:
        return "", ""
    scale = instruments.get(instruments.SESSION_RATING)
    low, high = scale.total_minimum, scale.total_maximum
    return f", {low} to {high}", f", {points(low)} to {points(high)}"


def _lines(name: str) -> Iterator[Column]:
    items = instruments.get(instruments.SESSION_RATING).items
    for item in items:
        says = f"line “{item.label}”"
        low, high = item.minimum, item.maximum
        yield Column(
            f"{item.id}_tenths",
            f"{says}; in tenths, {low} to {high}; empty: not answered, or not known",
            (name,),
            lambda answers, key=item.id: answers.get(key),
            _in_words,
            for_people=False,
        )
        yield Column(
            f"{item.id}_points",
            f"{says}; in points, {points(low)} to {points(high)}; empty: not answered, or not known",
            (name,),
            lambda answers, key=item.id: _points(answers.get(key)),
            lambda answers, key=item.id: _answer_in_words(answers, key),
        )
    ours = {item.id for item in items}

    def others(answers: dict[str, Any]) -> dict[str, Any] | None:
        return {key: value for key, value in answers.items() if key not in ours} or None

    yield Column(
        "other_answers",
        "lines of other forms, in tenths; JSON",
        (name,),
        others,
        lambda answers: ", ".join(
            f"{key} {_points_in_words(one)}" for key, one in (others(answers) or {}).items()
        ),
    )


def _answer_in_words(answers: dict[str, int | None], key: str) -> str:
    """Nothing where no line has an answer: of an imported rating only the total may be known."""
    is_any = any(answer is not None for answer in answers.values())
    return _points_in_words(answers.get(key), "not answered") if is_any else ""


def _computed(name: str, of: Computed) -> Column:
    return Column(name, of.says, of.of, of.value, lambda *found: _in_words(of.value(*found)), of.for_people)


def _only_if_shared(one: Column, table: Table) -> Column:
    def value(shared: bool, promised: bool | None, *found: Any) -> Any:
        return one.value(*found) if shared and promised is not False else None

    says = f"{one.says}; empty where the client did not share them"
    lookups = (table.shared_if, f"{table.promise}__{Door.COMMENT.value}", *one.lookups)
    return Column(one.name, says, lookups, value, lambda *found: _in_words(value(*found)))


# --- Values --------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Sealed) else value


def _points(tenths: int | None) -> str | None:
    """With a point, whatever the language: "9.0"."""
    return None if tenths is None else f"{tenths // 10}.{tenths % 10}"


def _points_in_words(tenths: int | None, nothing: str = "") -> str:
    return nothing if tenths is None else points(tenths)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j F Y, H:i")
    if isinstance(value, date):
        return date_format(value, "j F Y")
    return "" if value is None else str(value)


def in_a_cell(value: Any) -> str | None:
    """As a cell of CSV holds it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return None if value is None else str(value)
