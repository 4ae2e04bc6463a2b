"""From answers to a score: a missing line stays missing, nothing is imputed. All values in whole tenths."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alliance.measurement.instruments import Instrument, Item


class AnswerError(ValueError):
    """An answer that cannot be right: `item` (empty if unknown) and a plain `sentence`."""

    def __init__(self, item: str, sentence: str) -> None:
        super().__init__(sentence)
        self.item = item
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Score:
    """answers: every item as given, in the instrument's order; total, subscales: None if one is missing."""

    answers: dict[str, int | None]
    total: int | None
    complete: bool
    subscales: dict[str, int | None]


def score(instrument: Instrument, answers: Mapping[str, int | None]) -> Score:
    """Score one rating. Answers are in tenths; an absent item is a missing line.

    Raises AnswerError for an unknown item, a value outside its range, between its marks, or not whole.
    An instrument that is not scored (score_method "none") never has a total.
    """
    for unknown in answers.keys() - {item.id for item in instrument.items}:
        raise AnswerError(unknown, f"{instrument.name} has no line called “{unknown}”.")
    given = {item.id: _checked(item, answers.get(item.id)) for item in instrument.items}
    return Score(
        answers=given,
        total=_combined(instrument, given, given),
        complete=None not in given.values(),
        subscales={name: _combined(instrument, given, ids) for name, ids in instrument.subscales.items()},
    )


def at_most(instrument: Instrument, answers: Mapping[str, int | None]) -> int | None:
    """The total of a partial rating if what is missing were marked as favourably as it can be.

    No total, and shown as none: a bound, for the rules that hold whatever was left out. None where every line is
    answered, or none is.
    """
    known = [answers.get(item.id) is not None for item in instrument.items]
    if all(known) or not any(known):
        return None
    filled = {item.id: _or_best(item, answers.get(item.id)) for item in instrument.items}
    return _combined(instrument, filled, filled)


def _or_best(item: Item, answer: int | None) -> int:
    if answer is not None:
        return answer
    return item.minimum if item.reverse else item.maximum


def _checked(item: Item, answer: object) -> int | None:
    if answer is None:
        return None
    # bool is an int in Python; True would be one tenth.
    if not isinstance(answer, int) or isinstance(answer, bool):
        raise AnswerError(item.id, f"The answer for “{item.label}” is not a whole number of tenths.")
    if not item.minimum <= answer <= item.maximum:
        low, high = scale_end(item.minimum), scale_end(item.maximum)
        raise AnswerError(item.id, f"The answer for “{item.label}” is not between {low} and {high}.")
    if (answer - item.minimum) % item.step:
        raise AnswerError(item.id, f"The answer for “{item.label}” lies between two possible marks.")
    return answer


def _combined(instrument: Instrument, answers: Mapping[str, int | None], ids: Iterable[str]) -> int | None:
    wanted = set(ids)
    values = [_oriented(item, answers[item.id]) for item in instrument.items if item.id in wanted]
    known = [value for value in values if value is not None]
    if instrument.score_method == "none" or len(known) < len(values):
        return None
    if instrument.score_method == "sum":
        return sum(known)
    return (2 * sum(known) + len(known)) // (2 * len(known))  # mean, half a tenth upward


def _oriented(item: Item, answer: int | None) -> int | None:
    if answer is None or not item.reverse:
        return answer
    return item.minimum + item.maximum - answer


def points(tenths: int) -> str:
    """A mark, total, level or cutoff as a person reads it, always with one decimal: 345 -> "34.5", 360 -> "36.0".

    This is the one rule of figures in points, and static/dashboard/chart.js keeps it too: marks are made in tenths,
    so a decimal left out would look like another precision. Decimals exist only here and beyond. How far two figures
    lie apart is said with the word (`points_apart`), what a person marked without it. The ends of a scale were chosen
    by nobody and are whole (`scale_end`).
    """
    sign, size = "-" if tenths < 0 else "", abs(tenths)
    return f"{sign}{size // 10}.{size % 10}"


def points_apart(tenths: int) -> str:
    """A fall, a rise or a distance, with its unit: 40 -> "4.0 points"."""
    return f"{points(tenths)} points"


def scale_end(tenths: int) -> str:
    """An end or a tick of a scale: 100 -> "10"; with its decimal where it is not whole."""
    return points(tenths).removesuffix(".0")


# Digits a client's or therapist's keyboard may produce: Arabic-Indic, its eastern form, Devanagari.
_DIGITS = {first + digit: str(digit) for first in (0x0660, 0x06F0, 0x0966) for digit in range(10)}
# Direction marks come along when a number is pasted from right-to-left text.
_INVISIBLE: dict[int, str | None] = dict.fromkeys((0x061C, 0x200E, 0x200F))
_TYPED: dict[int, str | None] = {**_DIGITS, **_INVISIBLE, ord(","): ".", 0x066B: "."}
_ONE_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9])?", re.ASCII)
_MORE_DECIMALS = re.compile(r"[0-9]+\.[0-9]{2,}", re.ASCII)


def tenths_from_text(text: str, *, item: str = "", minimum: int = 0, maximum: int = 100) -> int | None:
    """What a person types for one answer, in points, to tenths: "8.2" and "8,2" -> 82; nothing typed -> None.

    Raises AnswerError with a plain sentence. Signs and exponents are refused, not guessed at.
    """
    typed = text.translate(_TYPED).strip()
    if not typed:
        return None
    if _MORE_DECIMALS.fullmatch(typed):
        raise AnswerError(item, "Please give at most one decimal, such as 8.2.")
    if _ONE_DECIMAL.fullmatch(typed):
        whole, _, tenth = typed.partition(".")
        tenths = int(whole) * 10 + int(tenth or 0)
        if minimum <= tenths <= maximum:
            return tenths
    raise AnswerError(item, f"Please give a number from {scale_end(minimum)} to {scale_end(maximum)}.")
