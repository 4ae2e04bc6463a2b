"""What the totals of one scale say: the last against the first and against the one before it. All in whole tenths.

Better and worse are the definition's: it says which end is good. Whether a change is more than the scale's own error
is told by a published reliable change alone, and the level by a published cutoff: without one the answer is "cannot
tell". No expected course is drawn or computed: the published ones are their owners', and none is invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from alliance.measurement.instruments import Cutoff, Instrument
from alliance.measurement.scoring import ReliableChange, band, changed_reliably, figure

UP, DOWN, LEVEL = "↑", "↓", "→"


@dataclass(frozen=True, slots=True)
class Step:
    """From one total to a later one. arrow: which way the figure went, whatever that means; word: what it means."""

    before: int
    now: int
    word: str
    arrow: str
    size: str  # how far, in points, without a sign
    reliable: ReliableChange
    crossed: str  # which cutoff lies between the two, as a sentence; empty where none does

    @property
    def by(self) -> int:
        return self.now - self.before

    @property
    def signed(self) -> str:
        """With its sign, a true minus, which is as wide as the plus; empty where nothing moved."""
        return f"{'+' if self.by > 0 else '−'}{self.size}" if self.by else ""

    @property
    def reliable_in_words(self) -> str:
        """Changed reliably: yes, no or cannot tell."""
        return f"yes, {self.reliable.way}" if self.reliable.way else self.reliable.answer


def step(instrument: Instrument, before: int, now: int) -> Step:
    return Step(
        before=before,
        now=now,
        word=_word(instrument, now - before),
        arrow=UP if now > before else DOWN if now < before else LEVEL,
        size=figure(instrument, abs(now - before)),
        reliable=changed_reliably(instrument, before, now),
        crossed=_crossed(instrument, before, now),
    )


def _word(instrument: Instrument, by: int) -> str:
    if by == 0:
        return "the same"
    if instrument.direction == "none":
        return "higher" if by > 0 else "lower"
    return "better" if (by > 0) == (instrument.direction == "higher_is_better") else "worse"


# --- Cutoffs ---------------------------------------------------------------------------------------


def cutoffs(instrument: Instrument) -> tuple[Cutoff, ...]:
    """Its published cutoffs, the lowest first."""
    return tuple(sorted(instrument.cutoffs, key=lambda one: one.tenths))


def place(instrument: Instrument, total: int | None) -> str:
    """In which published band a total lies, in words; empty where no cutoff is published, or there is no total."""
    if total is None or not instrument.cutoffs:
        return ""
    reached = band(instrument, total)
    if reached is None:
        return f"below {figure(instrument, cutoffs(instrument)[0].tenths)}"
    return f"{reached.name} (from {figure(instrument, reached.tenths)})"


def _crossed(instrument: Instrument, before: int, now: int) -> str:
    if band(instrument, before) == band(instrument, now):
        return ""
    return f"Crossed a cutoff: {place(instrument, before)} before, {place(instrument, now)} now."


def is_on_the_good_side(instrument: Instrument, total: int) -> bool | None:
    """Of every published cutoff; None where there is none, or neither end is the good one."""
    if not instrument.cutoffs or instrument.direction == "none":
        return None
    levels = cutoffs(instrument)
    if instrument.direction == "higher_is_better":
        return total >= levels[-1].tenths
    return total < levels[0].tenths


# --- A course --------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """How the client is doing, the last total against the first, as far as published figures tell."""

    UP = "up"  # reliably better
    WELL = "well from the start"  # no reliable change, and both on the good side of the published cutoff
    FLAT = "flat"  # no reliable change
    FALLING = "falling"  # reliably worse
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Reading:
    """One course of totals of `instrument`. since_first, since_last: None with fewer than two."""

    instrument: Instrument
    total: int | None
    since_first: Step | None
    since_last: Step | None
    place: str
    outcome: Outcome

    @property
    def sentence(self) -> str:
        """The last total in words: where it lies, and how far it came."""
        if self.total is None:
            return "No total yet."
        said = f"{figure(self.instrument, self.total)} at the last time"
        if self.place:
            said += f", {self.place}"
        if self.since_first is None:
            return f"{said}. One total is no course yet."
        one = self.since_first
        unit = "point" if one.size == "1" else "points"
        changed = "the same as" if not one.by else f"{one.word} by {one.size} {unit} than"
        return f"{said}; {changed} at the first ({figure(self.instrument, one.before)})."


def read(instrument: Instrument, totals: Sequence[int]) -> Reading:
    """totals: those that count, of one series, in the order of their sessions."""
    if not totals:
        return Reading(instrument, None, None, None, "", Outcome.CANNOT_TELL)
    first = step(instrument, totals[0], totals[-1]) if len(totals) > 1 else None
    return Reading(
        instrument=instrument,
        total=totals[-1],
        since_first=first,
        since_last=step(instrument, totals[-2], totals[-1]) if len(totals) > 1 else None,
        place=place(instrument, totals[-1]),
        outcome=_outcome(instrument, first),
    )


def _outcome(instrument: Instrument, first: Step | None) -> Outcome:
    if first is None or first.reliable.answer == "cannot tell":
        return Outcome.CANNOT_TELL
    if first.reliable.way:
        return Outcome.UP if first.reliable.way == "better" else Outcome.FALLING
    if is_on_the_good_side(instrument, first.before) and is_on_the_good_side(instrument, first.now):
        return Outcome.WELL
    return Outcome.FLAT
