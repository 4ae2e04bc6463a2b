"""A form of choices as a page shows it: its questions, each with its possible answers, in their sections."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from django.utils.translation import gettext as _

from alliance import languages
from alliance.measurement.instruments import Instrument, Item, ItemWording, Section, Wording

MOST_COLUMNS = 11  # of one set of labels above many questions; more would be narrower than a finger
MOST_BESIDE = 5  # of them that have room beside the question, with labels of a dozen letters
MOST_IN_A_COLUMN = 7  # answers of a finger's height under each other, with their question on one small screen
SHORT = 160  # characters that can stand above each question of a small screen


class Choice(NamedTuple):
    """One possible answer: its number as the reader writes it, and its label, empty where it has none."""

    tenths: int
    number: str
    label: str


class Given(NamedTuple):
    """What somebody answered so far, and what is wrong with it."""

    tenths: int | None = None
    declined: bool = False
    error: str = ""


@dataclass(frozen=True)
class Question:
    """number: its place in the form. Named as a `Line` is where pages treat both alike."""

    item: Item
    number: str
    progress: str
    wording: ItemWording
    choices: list[Choice]
    given: Given

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def text(self) -> str:
        return self.wording.question

    @property
    def tenths(self) -> int | None:
        return self.given.tenths

    @property
    def declined(self) -> bool:
        return self.given.declined

    @property
    def error(self) -> str:
        return self.given.error

    @property
    def said(self) -> str:
        """The answer in words, or its number where it has none."""
        return next((one.label or one.number for one in self.choices if one.tenths == self.tenths), "")


@dataclass(frozen=True)
class Block:
    """Questions in a row whose answers are called the same, so that one set of labels can stand above them."""

    questions: list[Question]

    @property
    def choices(self) -> list[Choice]:
        return self.questions[0].choices

    @property
    def is_table(self) -> bool:
        return len(self.questions) > 1 and len(self.choices) <= MOST_COLUMNS

    @property
    def classes(self) -> str:
        """How it is laid out (static/rate/inventory.css); with a space before each."""
        many = len(self.choices)
        beside = self.is_table and many <= MOST_BESIDE
        chosen = {" table": self.is_table, " table--beside": beside, " block--long": many > MOST_IN_A_COLUMN}
        return "".join(name for name, holds in chosen.items() if holds)


@dataclass(frozen=True)
class QuestionSection:
    """A part of the form; without a title where the form has no parts."""

    title: str
    introduction: str
    questions: list[Question]
    lead: str = field(default="")  # stands above each of its questions where they come one at a time

    @property
    def blocks(self) -> list[Block]:
        return [Block(list(same)) for _labels, same in groupby(self.questions, lambda one: one.choices)]

    @property
    def has_long_introduction(self) -> bool:
        return len(self.introduction) > SHORT


def has_choices(instrument: Instrument) -> bool:
    """Whether each question is answered by one of several answers, and not on a line."""
    return instrument.format == "choices"


def sections_to_read(instrument: Instrument, wording: Wording) -> list[QuestionSection]:
    """The whole form before any answer, for whoever checks it against the owner's."""
    return sections_of(wording, questions_of(instrument, wording, {}))


def questions_of(instrument: Instrument, wording: Wording, given: Mapping[str, Given]) -> list[Question]:
    last = languages.digits(len(instrument.items))
    return [
        Question(
            item,
            number := languages.digits(place),
            _("%(number)s of %(last)s") % {"number": number, "last": last},
            wording.items[item.id],
            choices_of(item, wording),
            given.get(item.id, Given()),
        )
        for place, item in enumerate(instrument.items, 1)
    ]


def sections_of(wording: Wording, questions: list[Question]) -> list[QuestionSection]:
    """The questions in the sections of their wording; in one without a title where it has none."""
    by_id = {question.id: question for question in questions}
    sections = wording.sections or (Section("", "", tuple(by_id)),)
    return [
        QuestionSection(
            one.title, one.introduction, [by_id[item_id] for item_id in one.items], _lead(wording, one)
        )
        for one in sections
    ]


def _lead(wording: Wording, section: Section) -> str:
    """What a question alone would be half of: the stem, or else a short introduction, such as "over two weeks"."""
    if wording.stem:
        return wording.stem
    of_the_form = "" if section.introduction else wording.introduction
    return of_the_form if len(of_the_form) <= SHORT else ""


def choices_of(item: Item, wording: Wording) -> list[Choice]:
    labels = {point.value_tenths: point.label for point in wording.points_of(item.id)}
    return [
        Choice(tenths, _number(tenths), labels.get(tenths, ""))
        for tenths in range(item.minimum, item.maximum + 1, item.step)
    ]


def _number(tenths: int) -> str:
    return ("−" if tenths < 0 else "") + languages.digits(abs(tenths) // 10)
