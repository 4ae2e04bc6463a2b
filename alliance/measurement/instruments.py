"""Instruments as data: items, ranges, cutoffs with their source, and wording (only our own is shipped)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from alliance.measurement.parameters import Parameters, statistical_parameters

SESSION_RATING = "session-rating"
SCORE_METHODS = ("sum", "mean", "none")


class UnknownInstrument(KeyError):
    """No such instrument, or no such version of it; the text is a sentence."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the repr


@dataclass(frozen=True, slots=True)
class Item:
    """One line or question. minimum, maximum and step (between possible marks) are in tenths."""

    id: str
    minimum: int
    maximum: int
    reverse: bool = False
    label: str = ""
    step: int = 1

    def along(self, tenths: int) -> float:
        """How far along the line a mark is, in hundredths of its length."""
        return 100 * (tenths - self.minimum) / (self.maximum - self.minimum)


@dataclass(frozen=True, slots=True)
class ItemWording:
    question: str
    low_end: str
    high_end: str


@dataclass(frozen=True, slots=True)
class Wording:
    """What the client reads, in one language (BCP 47 tag)."""

    language: str
    title: str
    introduction: str
    items: Mapping[str, ItemWording]


@dataclass(frozen=True, slots=True)
class Instrument:
    """One version of one instrument. Ranges in tenths; subscales name their items.

    licensed: the wording belongs to others, is never shipped, and a clinic may use it only with its licence
    on record. unconfirmed: what we know from memory of the literature; never shown as a cited fact.
    companion: an outcome scale read beside the rating; its ratings raise no flags.
    paper_only: why it cannot be shown on a device, as the end of a sentence; empty where it can.
    signed_off: the languages whose wording, where we ship it, a clinician has read and signed.
    """

    id: str
    version: str
    name: str
    items: tuple[Item, ...]
    subscales: Mapping[str, tuple[str, ...]]
    parameters: Parameters
    licensed: bool
    score_method: str
    total_minimum: int
    total_maximum: int
    cutoff_source: str
    cutoff_provisional: bool
    raters: tuple[str, ...]
    ages: str
    companion: bool
    reliable_change: int | None
    unconfirmed: str
    paper_only: str
    signed_off: frozenset[str]
    wordings: Mapping[str, Wording]

    def item(self, item_id: str) -> Item:
        """The item of this id; raises KeyError."""
        return {item.id: item for item in self.items}[item_id]

    @property
    def statistical_only(self) -> bool:
        """Flags without a published cutoff: to be labelled "statistical, not validated"."""
        return self.parameters.cutoff is None and bool(self.parameters.enabled)


def get(instrument_id: str, version: str | None = None) -> Instrument:
    """The instrument of this id, in this version or the newest. Raises UnknownInstrument with a sentence."""
    versions = {i.version: i for i in all_instruments() if i.id == instrument_id}
    if not versions:
        raise UnknownInstrument(f"There is no instrument called “{instrument_id}”.")
    wanted = max(versions, key=_age) if version is None else str(version)
    if wanted not in versions:
        raise UnknownInstrument(f"There is no version {wanted} of “{instrument_id}”.")
    return versions[wanted]


def session_scales() -> tuple[Instrument, ...]:
    """The alliance scales a client can mark after a session, newest versions, ours first.

    All have the lines of the session rating on the same range, so that one chart and one table show any of
    them; their ratings are never pooled (`trends.CourseSession.series`).
    """
    ours = get(SESSION_RATING)
    found = {i.id for i in all_instruments() if _is_session_scale(i, ours)}
    newest = [get(instrument_id) for instrument_id in found]
    return tuple(i for i in all_instruments() if i in newest)


def session_scale_ids() -> tuple[str, ...]:
    return tuple(i.id for i in session_scales())


def _is_session_scale(instrument: Instrument, ours: Instrument) -> bool:
    def lines(of: Instrument) -> list[tuple[str, int, int, int]]:
        return [(item.id, item.minimum, item.maximum, item.step) for item in of.items]

    same_score = instrument.score_method == ours.score_method
    return lines(instrument) == lines(ours) and same_score and not instrument.companion


def _age(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@cache
def all_instruments() -> tuple[Instrument, ...]:
    """Every instrument in every version, by id and version; ours first, for lists that a person reads."""
    files = resources.files("alliance.measurement").joinpath("definitions").iterdir()
    read = {
        file.name: tomllib.loads(file.read_text("utf-8")) for file in files if file.name.endswith(".toml")
    }
    instruments = [_instrument(_whole(data, read)) for data in read.values()]
    return tuple(sorted(instruments, key=lambda i: (i.id != SESSION_RATING, i.id, _age(i.version))))


def _whole(data: Mapping[str, Any], read: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """An earlier edition is another text; lines, cutoff and rules are those of the newest, in one place."""
    return {**read[data["edition_of"]], **data} if "edition_of" in data else data


def _instrument(data: Mapping[str, Any]) -> Instrument:
    items = tuple(_items(data))
    method = data["score_method"]
    if method not in SCORE_METHODS:
        raise ValueError(f"{data['id']}: a score is one of {SCORE_METHODS}, not {method}.")
    low, high = _total_range(items, method)
    return Instrument(
        id=data["id"],
        version=data["version"],
        name=data["name"],
        items=items,
        subscales=MappingProxyType({k: tuple(v) for k, v in data.get("subscales", {}).items()}),
        parameters=_parameters(data.get("parameters"), low, high),
        licensed=data["licensed"],
        score_method=method,
        total_minimum=low,
        total_maximum=high,
        cutoff_source=data["cutoff_source"],
        cutoff_provisional=data.get("cutoff_provisional", False),
        raters=tuple(data["raters"]),
        ages=data["ages"],
        companion=data.get("companion", False),
        reliable_change=data.get("reliable_change"),
        unconfirmed=data.get("unconfirmed", ""),
        paper_only=data.get("paper_only", ""),
        signed_off=frozenset(data.get("signed_off", ())),
        wordings=MappingProxyType({tag: _wording(tag, w) for tag, w in data.get("wordings", {}).items()}),
    )


def _items(data: Mapping[str, Any]) -> list[Item]:
    if "items" in data:
        return [Item(**item) for item in data["items"]]
    like = data["numbered_items"]
    return [
        Item(
            id=f"item-{number}",
            minimum=like["minimum"],
            maximum=like["maximum"],
            reverse=number in like.get("reverse", ()),
            label=f"item {number}",
            step=like["step"],
        )
        for number in range(1, like["count"] + 1)
    ]


def _total_range(items: tuple[Item, ...], method: str) -> tuple[int, int]:
    low, high = sum(i.minimum for i in items), sum(i.maximum for i in items)
    return (low, high) if method == "sum" else (low // len(items), high // len(items))


def _parameters(chosen: Mapping[str, Any] | None, low: int, high: int) -> Parameters:
    if chosen is None:
        return statistical_parameters(low, high)
    # The defaults are the session rating's: a definition that names no cutoff must not inherit them.
    known: dict[str, Any] = {"cutoff": None, "item_cutoff": None, **chosen}
    if "enabled" in known:
        known["enabled"] = frozenset(known["enabled"])
    return Parameters(**known, total_minimum=low, total_maximum=high)


def _wording(language: str, data: Mapping[str, Any]) -> Wording:
    items = {item_id: ItemWording(**ends) for item_id, ends in data["items"].items()}
    return Wording(language, data["title"], data["introduction"], MappingProxyType(items))
