"""Instruments as data: items, ranges, cutoffs with their source, and wording (only our own is shipped)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from alliance.measurement.form_words import (
    ItemWording,
    PointLabel,
    Section,
    Wording,
    item_wording,
    point_labels,
    sections,
)
from alliance.measurement.parameters import Parameters, statistical_parameters

__all__ = [
    "Cutoff",
    "Instrument",
    "Item",
    "ItemWording",
    "MissingRule",
    "PointLabel",
    "RiskItem",
    "Section",
    "Wording",
]

SESSION_RATING = "session-rating"
SCORE_METHODS = ("sum", "mean", "none")
# What a definition may say of itself; a word that is not here is a mistake in the file.
USES = ("session_alliance", "questionnaire")
FORMATS = ("lines", "choices", "faces")
DIRECTIONS = ("higher_is_better", "higher_is_worse", "none")
LICENCES = ("ours", "free", "pack", "licensed")
RATERS = ("client", "therapist", "caregiver", "observer")
STATED_PARTS = ("items", "range", "reverse", "subscales")
# How long one answer takes, for "about 4 minutes"; a line is aimed at, a choice is read and tapped.
SECONDS_AN_ITEM = {"lines": 15, "faces": 15, "choices": 7}


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


class Cutoff(NamedTuple):
    """From this total on (tenths) the name applies."""

    tenths: int
    name: str
    source: str


class RiskItem(NamedTuple):
    """From this answer on (tenths) somebody has to look."""

    lowest: int
    source: str


@dataclass(frozen=True, slots=True)
class MissingRule:
    """What the owner has published about answers that are missing; nothing applies it until a clinic switches it on.

    fewest: {"total" or subscale: how many of its items must be answered}. whole: rounded to a whole point.
    The missing answers count as the mean of the others.
    """

    fewest: Mapping[str, int]
    whole: bool
    source: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """One version of one instrument. Ranges in tenths; subscales name their items.

    use: "session_alliance", marked once a session and read by the flag rules, or "questionnaire", which no flag rule
    reads. licence: whose words these are: "ours"; "free" to reproduce; of a "pack" that an administrator switches on;
    "licensed", never shipped, and used only with a licence on record. recall: the time it asks about, as the end of a
    sentence ("the last two weeks"); empty for this session. unconfirmed: what we know from memory of the literature;
    never shown as a cited fact. to_state: what the wording file of a clinic must state because of that; unknown: those
    of them about which the definition says nothing, so that nothing is scored until they are stated.
    form_of: the instrument whose form for another rater this is, or itself: one licence is for all of them.
    has_total: whether all items together mean something; else there are subscales only.
    companion: an outcome scale read beside the rating; its ratings raise no flags.
    together: whether it is about a session of several people, who may have two therapists: its form says who then sees
    the marks.
    paper_only: why it cannot be shown on a device, as the end of a sentence; empty where it can.
    signed_off: the languages whose wording, where we ship it, a clinician has read and signed.
    """

    id: str
    form_of: str
    version: str
    name: str
    use: str
    format: str
    direction: str
    licence: str
    items: tuple[Item, ...]
    subscales: Mapping[str, tuple[str, ...]]
    parameters: Parameters
    score_method: str
    has_total: bool
    total_minimum: int
    total_maximum: int
    cutoff_source: str
    cutoff_provisional: bool
    cutoffs: tuple[Cutoff, ...]
    reliable_change: int | None
    reliable_change_source: str
    raters: tuple[str, ...]
    ages: str
    age_from: int | None
    age_to: int | None
    recall: str
    companion: bool
    together: bool
    missing: MissingRule | None
    risk_items: Mapping[str, RiskItem]
    unconfirmed: str
    to_state: frozenset[str]
    unknown: frozenset[str]
    subscale_sizes: Mapping[str, int]
    number_of_subscales: int
    paper_only: str
    signed_off: frozenset[str]
    wordings: Mapping[str, Wording]

    def item(self, item_id: str) -> Item:
        """The item of this id; raises KeyError."""
        return {item.id: item for item in self.items}[item_id]

    @property
    def licensed(self) -> bool:
        """Whether the words belong to others and do not come with the site: a clinic brings them, or a pack does."""
        return self.licence in {"licensed", "pack"}

    @property
    def minutes(self) -> int:
        """About how long it takes to fill in."""
        seconds = len(self.items) * SECONDS_AN_ITEM[self.format]
        return max(1, (seconds + 30) // 60)

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
    return tuple(one for one in newest() if one.use == "session_alliance")


def questionnaires() -> tuple[Instrument, ...]:
    """Every instrument that is no alliance rating of a session, newest versions."""
    return tuple(one for one in newest() if one.use == "questionnaire")


def forms_of(instrument: Instrument) -> tuple[Instrument, ...]:
    """The forms of one instrument, for whoever fills them in: a licence is for all of them."""
    return tuple(one for one in newest() if one.form_of == instrument.form_of)


@cache
def newest() -> tuple[Instrument, ...]:
    """The newest version of every instrument, ours first."""
    return tuple(one for one in all_instruments() if one == get(one.id))


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
    return tuple(
        sorted(
            instruments, key=lambda i: (i.id != SESSION_RATING, i.licence != "ours", i.id, _age(i.version))
        )
    )


def _whole(data: Mapping[str, Any], read: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """An earlier edition is another text, and the form of another rater has other words.

    Lines, cutoff and rules are those of the newest edition, or of the client's form, in one place.
    """
    same_as = data.get("edition_of") or data.get("form_of")
    if same_as is None:
        return data
    whole = {**read[same_as], **data}
    return {**whole, "form_of": read[same_as]["id"]} if "form_of" in data else whole


def _instrument(data: Mapping[str, Any]) -> Instrument:
    items = tuple(_items(data))
    method = data["score_method"]
    for name, known in _WORDS.items():
        if data[name] not in known:
            raise ValueError(f"{data['id']}: {name} is one of {known}, not {data[name]}.")
    low, high = total_range(items, method)
    to_state = frozenset(data.get("to_state", ()))
    return Instrument(
        id=data["id"],
        form_of=data.get("form_of", data["id"]),
        version=data["version"],
        name=data["name"],
        use=data["use"],
        format=data["format"],
        direction=data["direction"],
        licence=data["licence"],
        items=items,
        subscales=MappingProxyType({k: tuple(v) for k, v in data.get("subscales", {}).items()}),
        parameters=_parameters(data.get("parameters"), low, high),
        score_method=method,
        has_total=data.get("has_total", method != "none"),
        total_minimum=low,
        total_maximum=high,
        cutoff_source=data["cutoff_source"],
        cutoff_provisional=data.get("cutoff_provisional", False),
        cutoffs=tuple(Cutoff(**one) for one in data.get("cutoffs", ())),
        reliable_change=data.get("reliable_change"),
        reliable_change_source=data.get("reliable_change_source", ""),
        raters=tuple(data["raters"]),
        ages=data["ages"],
        age_from=data.get("age_from"),
        age_to=data.get("age_to"),
        recall=data.get("recall", ""),
        companion=data.get("companion", False),
        together=data.get("together", False),
        missing=_missing(data.get("missing")),
        risk_items=MappingProxyType({k: RiskItem(**v) for k, v in data.get("risk_items", {}).items()}),
        unconfirmed=data.get("unconfirmed", ""),
        to_state=to_state,
        unknown=frozenset(part for part in to_state if not _says(data, part)),
        subscale_sizes=MappingProxyType(dict(data.get("subscale_sizes", {}))),
        number_of_subscales=data.get("number_of_subscales", len(data.get("subscales", {}))),
        paper_only=data.get("paper_only", ""),
        signed_off=frozenset(data.get("signed_off", ())),
        wordings=MappingProxyType({tag: _wording(tag, w) for tag, w in data.get("wordings", {}).items()}),
    )


_WORDS = {
    "score_method": SCORE_METHODS,
    "use": USES,
    "format": FORMATS,
    "direction": DIRECTIONS,
    "licence": LICENCES,
}


def _says(data: Mapping[str, Any], part: str) -> bool:
    """Whether a definition has a value for what a wording file is to state, if only from memory."""
    if part == "subscales":
        return "subscales" in data
    return "items" in data or part != "reverse" or "reverse" in data["numbered_items"]


def _missing(rule: Mapping[str, Any] | None) -> MissingRule | None:
    if rule is None:
        return None
    return MissingRule(MappingProxyType(dict(rule["fewest"])), rule["whole"], rule["source"])


def _items(data: Mapping[str, Any]) -> list[Item]:
    if "items" in data:
        return [Item(**item) for item in data["items"]]
    like = data["numbered_items"]
    pattern = Item("", like["minimum"], like["maximum"], step=like["step"])
    turned = like.get("reverse", ())
    numbers = range(1, like["count"] + 1)
    return [replace(numbered_item(number, pattern), reverse=number in turned) for number in numbers]


def numbered_item(number: int, pattern: Item) -> Item:
    """An item that is known by its number, with the range of another."""
    return replace(pattern, id=f"item-{number}", label=f"item {number}", reverse=False)


def total_range(items: tuple[Item, ...], method: str) -> tuple[int, int]:
    """The lowest and the highest total there can be."""
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
    return Wording(
        language=language,
        title=data["title"],
        introduction=data["introduction"],
        items=MappingProxyType({item_id: item_wording(parts) for item_id, parts in data["items"].items()}),
        points=point_labels(data.get("points", ())),
        sections=sections(data.get("sections", ())),
        stem=data.get("stem", ""),
        copyright=data.get("copyright", ""),
    )
