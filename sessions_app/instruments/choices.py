"""A form of choices as a page shows it: its questions, each with its possible answers, in their sections."""

from dataclasses import dataclass

from alliance import languages
from alliance.measurement.instruments import Instrument, Item, Wording


@dataclass(frozen=True)
class Choice:
    """One possible answer: its number as the reader writes it, and its label, empty where it has none."""

    tenths: int
    number: str
    label: str


@dataclass(frozen=True)
class Question:
    """number: its place in the form."""

    item: Item
    number: str
    text: str
    choices: list[Choice]


@dataclass(frozen=True)
class QuestionSection:
    """A part of the form; without a title where the form has no parts."""

    title: str
    introduction: str
    questions: list[Question]


def sections_to_read(instrument: Instrument, wording: Wording) -> list[QuestionSection]:
    """The whole form before any answer, for whoever checks it against the owner's."""
    questions = {
        item.id: Question(
            item, languages.digits(place), wording.items[item.id].question, choices_of(item, wording)
        )
        for place, item in enumerate(instrument.items, 1)
    }
    if not wording.sections:
        return [QuestionSection("", "", list(questions.values()))]
    return [
        QuestionSection(one.title, one.introduction, [questions[item_id] for item_id in one.items])
        for one in wording.sections
    ]


def choices_of(item: Item, wording: Wording) -> list[Choice]:
    labels = {point.value_tenths: point.label for point in wording.points_of(item.id)}
    return [
        Choice(tenths, _number(tenths), labels.get(tenths, ""))
        for tenths in range(item.minimum, item.maximum + 1, item.step)
    ]


def _number(tenths: int) -> str:
    return ("−" if tenths < 0 else "") + languages.digits(abs(tenths) // 10)
