"""From answers to a score: a missing line stays missing, nothing is imputed. All values in whole tenths.

The one exception is an owner's published rule (`MissingRule`) that a clinic has switched on; the score then says from
how many answers it was pro-rated.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from alliance.measurement.instruments import Cutoff, Instrument, Item, MissingRule


class AnswerError(ValueError):
    """An answer that cannot be right: `item` (empty if unknown) and a plain `sentence`."""

    def __init__(self, item: str, sentence: str) -> None:
        super().__init__(sentence)
        self.item = item
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Score:
    """answers: every item as given, in the instrument's order; total, subscales: None if one is missing.

    prorated_from: how many answers a pro-rated total was made from; None for any other total, and where there is none.
    subscales_prorated_from: the same of those subscales that were pro-rated.
    """

    answers: dict[str, int | None]
    total: int | None
    complete: bool
    subscales: dict[str, int | None]
    prorated_from: int | None = None
    subscales_prorated_from: Mapping[str, int] = field(default_factory=dict)


def score(instrument: Instrument, answers: Mapping[str, int | None], *, prorate: bool = False) -> Score:
    """Score one rating. Answers are in tenths; an absent item is a missing line.

    Raises AnswerError for an unknown item, a value outside its range, between its marks, or not whole.
    An instrument that is not scored (score_method "none") never has a total, and neither has one whose items, range or
    reversal nobody has stated yet. prorate: the clinic has switched on the owner's rule about missing answers; without
    such a rule it changes nothing.
    """
    for unknown in answers.keys() - {item.id for item in instrument.items}:
        raise AnswerError(unknown, f"{instrument.name} has no line called “{unknown}”.")
    given = {item.id: _checked(item, answers.get(item.id)) for item in instrument.items}
    rule = instrument.missing if prorate else None
    total, from_ = _scored(instrument, given, "total", given, rule) if instrument.has_total else (None, None)
    subscales = {
        name: _scored(instrument, given, name, ids, rule) for name, ids in instrument.subscales.items()
    }
    return Score(
        answers=given,
        total=total,
        complete=None not in given.values(),
        subscales={name: value for name, (value, _number) in subscales.items()},
        prorated_from=from_,
        subscales_prorated_from={
            name: number for name, (_value, number) in subscales.items() if number is not None
        },
    )


def _scored(
    instrument: Instrument,
    answers: Mapping[str, int | None],
    name: str,
    ids: Iterable[str],
    rule: MissingRule | None,
) -> tuple[int | None, int | None]:
    """The value of one scale, and from how many answers it was pro-rated."""
    ids = list(ids)
    value = _combined(instrument, answers, ids)
    if value is not None or rule is None or name not in rule.fewest:
        return value, None
    value = _prorated(instrument, answers, ids, rule, rule.fewest[name])
    return value, None if value is None else sum(answers[one] is not None for one in ids)


def _prorated(
    instrument: Instrument, answers: Mapping[str, int | None], ids: list[str], rule: MissingRule, fewest: int
) -> int | None:
    """What the scale would be where each missing answer is the mean of the others; None with too few of them."""
    known = [_oriented(item, answers[item.id]) for item in instrument.items if item.id in ids]
    values = [value for value in known if value is not None]
    if not values or len(values) < fewest or not _is_scored(instrument):
        return None
    times = len(ids) if instrument.score_method == "sum" else 1
    unit = 10 if rule.whole else 1
    return unit * _halves_up(times * sum(values), unit * len(values))


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
    if not _is_scored(instrument) or not known or len(known) < len(values):
        return None
    return sum(known) if instrument.score_method == "sum" else _halves_up(sum(known), len(known))


def _is_scored(instrument: Instrument) -> bool:
    """Whether its items can be put together: not where it is unknown which of them count the other way round."""
    return instrument.score_method != "none" and not instrument.unknown & {"items", "range", "reverse"}


def _halves_up(whole: int, parts: int) -> int:
    """whole / parts, half a tenth upward."""
    return (2 * whole + parts) // (2 * parts)


def _oriented(item: Item, answer: int | None) -> int | None:
    if answer is None or not item.reverse:
        return answer
    return item.minimum + item.maximum - answer


class ReliableChange(NamedTuple):
    """answer: "yes", "no" or "cannot tell"; way: "better" or "worse", empty where the answer is not yes."""

    answer: str
    way: str = ""


def changed_reliably(instrument: Instrument, before: int | None, now: int | None) -> ReliableChange:
    """Whether a total moved by the published reliable change or more, and which way.

    It cannot be told without a published figure, without two totals, or where neither end of the scale is the good one.
    """
    if instrument.reliable_change is None or before is None or now is None or instrument.direction == "none":
        return ReliableChange("cannot tell")
    rise = now - before
    if abs(rise) < instrument.reliable_change:
        return ReliableChange("no")
    return ReliableChange(
        "yes", "better" if (rise > 0) == (instrument.direction == "higher_is_better") else "worse"
    )


def band(instrument: Instrument, total: int | None) -> Cutoff | None:
    """The published band that a total lies in: the highest cutoff that it reaches; None below all of them."""
    reached = [cutoff for cutoff in instrument.cutoffs if total is not None and total >= cutoff.tenths]
    return max(reached, default=None)


def risk_answers(instrument: Instrument, answers: Mapping[str, int | None]) -> dict[str, int]:
    """The answers that somebody has to look at, by item; {} where there are none."""
    found = {}
    for item_id, risk in instrument.risk_items.items():
        answer = answers.get(item_id)
        if answer is not None and answer >= risk.lowest:
            found[item_id] = answer
    return found


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


def figure(instrument: Instrument, tenths: int) -> str:
    """A total or an answer of one instrument: whole where it is only ever whole, as of choices that are added up."""
    is_whole = instrument.score_method == "sum" and all(
        item.step % 10 == 0 and item.minimum % 10 == 0 for item in instrument.items
    )
    return scale_end(tenths) if is_whole else points(tenths)


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
