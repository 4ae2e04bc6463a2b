"""What a wording file states of an instrument: item count, range of the answers, reversed items, subscales.

What the definition knows from memory only, the owner's form decides, and the clinic has it. In the file:

    [stated]
    items = 24                  # how many
    range = [1, 7]              # the lowest and the highest answer
    reverse = [3, 8]            # numbers of the items that count the other way round; [] where there are none
    differs = ["range"]         # the owner's form says otherwise than what we know from memory

    [stated.subscales]
    bond = [1, 2, 5]
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from alliance.measurement.instruments import STATED_PARTS, Instrument, Item, numbered_item, total_range
from alliance.measurement.parameters import statistical_parameters
from alliance.measurement.scoring import scale_end

MOST_ITEMS = 80
PARTS = (*STATED_PARTS, "differs")
MOST_SUBSCALES = 20
SUBSCALE_LENGTH = 60
_SAID = {
    "items": "number of items",
    "range": "range of the answers",
    "reverse": "list of reversed items",
    "subscales": "list of subscales",
}


@dataclass(frozen=True, slots=True)
class Stated:
    """Each part as a file states it; None where it says nothing. The range in tenths, items by their ids."""

    items: int | None = None
    range: tuple[int, int] | None = None
    reverse: tuple[str, ...] | None = None
    subscales: Mapping[str, tuple[str, ...]] | None = None

    @property
    def stored(self) -> dict[str, Any]:
        """As JSON keeps it; {} where nothing is stated."""
        parts: dict[str, Any] = {"items": self.items}
        parts["range"] = self.range and list(self.range)
        parts["reverse"] = None if self.reverse is None else list(self.reverse)
        if self.subscales is not None:
            # As a list: PostgreSQL keeps no order in JSON, and a page shows them in the owner's.
            parts["subscales"] = [[name, list(ids)] for name, ids in self.subscales.items()]
        return {name: value for name, value in parts.items() if value is not None}


NOTHING_STATED = Stated()


def from_stored(stored: Mapping[str, Any]) -> Stated:
    """What `Stated.stored` had kept."""
    reverse, subscales = stored.get("reverse"), stored.get("subscales")
    low_and_high = stored.get("range")
    return Stated(
        items=stored.get("items"),
        range=(low_and_high[0], low_and_high[1]) if low_and_high else None,
        reverse=None if reverse is None else tuple(reverse),
        subscales=None
        if subscales is None
        else MappingProxyType({name: tuple(ids) for name, ids in subscales}),
    )


def as_stated(instrument: Instrument, stated: Stated) -> Instrument:
    """The instrument with what a wording states of it in the place of what the definition only remembers."""
    if stated == NOTHING_STATED:
        return instrument
    items = _items(instrument, stated)
    low, high = total_range(items, instrument.score_method)
    same = (low, high) == (instrument.total_minimum, instrument.total_maximum)
    known = {part for part in STATED_PARTS if getattr(stated, part) is not None}
    return replace(
        instrument,
        items=items,
        subscales=instrument.subscales if stated.subscales is None else stated.subscales,
        parameters=instrument.parameters if same else statistical_parameters(low, high),
        total_minimum=low,
        total_maximum=high,
        to_state=instrument.to_state - known,
        unknown=instrument.unknown - known,
    )


def _items(instrument: Instrument, stated: Stated) -> tuple[Item, ...]:
    first = instrument.items[0]
    items = instrument.items
    if stated.items is not None and stated.items != len(items):
        items = tuple(numbered_item(number, first) for number in range(1, stated.items + 1))
    if stated.range is not None:
        low, high = stated.range
        items = tuple(replace(item, minimum=low, maximum=high) for item in items)
    if stated.reverse is not None:
        items = tuple(replace(item, reverse=item.id in stated.reverse) for item in items)
    return items


# --- Reading -----------------------------------------------------------------------------------------


@dataclass
class _Reader:
    """Reads one table; `complaints` are sentences with their place."""

    table: Mapping[str, Any]
    instrument: Instrument
    complaints: list[str]
    count: int

    @property
    def ids(self) -> list[str]:
        known = [item.id for item in self.instrument.items]
        return known if self.count == len(known) else [f"item-{n}" for n in range(1, self.count + 1)]

    def item_id(self, named: object) -> str | None:
        """An item by its number or its id; None where there is none."""
        if isinstance(named, int) and not isinstance(named, bool) and 1 <= named <= self.count:
            return self.ids[named - 1]
        return named if isinstance(named, str) and named in self.ids else None

    def item_ids(self, named: object, place: str) -> tuple[str, ...] | None:
        if not isinstance(named, list):
            self.complaints.append(f"{place}: this is not a list of items in brackets, such as [1, 4].")
            return None
        ids = []
        for one in named:
            found = self.item_id(one)
            if found is None:
                self.complaints.append(
                    f"{place}: there is no item {one}. {self.instrument.name} has {self.count} items."
                )
            elif found in ids:
                self.complaints.append(f"{place}: item {one} stands in it twice.")
            else:
                ids.append(found)
        return tuple(sorted(ids, key=self.ids.index))


def read_stated(table: object, instrument: Instrument) -> tuple[Stated, list[str]]:
    """What the table says, and every complaint about it. An instrument that leaves nothing to state needs no table."""
    complaints: list[str] = []
    if not isinstance(table, Mapping):
        return NOTHING_STATED, ["stated: this is not a table with items, range, reverse and subscales."]
    complaints += [
        f"stated.{name}: a wording file states no such part." for name in table if name not in PARTS
    ]
    reader = _Reader(table, instrument, complaints, len(instrument.items))
    count = _count(reader)
    stated = Stated(count, _range(reader), _reversed(reader), _subscales(reader))
    differs = _differs(reader)
    complaints += _not_stated(table, instrument)
    for part, sentence in list(contradictions(instrument, stated)):
        if part in differs:
            continue
        hint = (
            f" What we know of it is from memory: if the owner’s form says so, add “{part}” to stated.differs."
            if part in instrument.to_state
            else " Check whether the file is of this form."
        )
        complaints.append(sentence + hint)
        if part not in instrument.to_state:  # or every item of the file would be refused once more
            stated = replace(stated, **{part: None})
    return stated, complaints


def _count(reader: _Reader) -> int | None:
    count = reader.table.get("items")
    if count is None:
        return None
    if not _is_whole(count) or not 1 <= count <= MOST_ITEMS:
        reader.complaints.append(f"stated.items: this is not a number from 1 to {MOST_ITEMS}.")
        return None
    reader.count = int(count)
    return reader.count


def _range(reader: _Reader) -> tuple[int, int] | None:
    said = reader.table.get("range")
    if said is None:
        return None
    if not (isinstance(said, list) and len(said) == 2 and all(map(_is_whole, said))):
        reader.complaints.append(
            "stated.range: this is not the lowest and the highest answer, such as [1, 7]."
        )
        return None
    low, high = said
    if not (-20 <= low < high <= 20):
        reader.complaints.append(
            f"stated.range: {low} to {high} is no range of answers between -20 and 20, the lowest first."
        )
        return None
    return 10 * low, 10 * high


def _reversed(reader: _Reader) -> tuple[str, ...] | None:
    said = reader.table.get("reverse")
    return None if said is None else reader.item_ids(said, "stated.reverse")


def _subscales(reader: _Reader) -> Mapping[str, tuple[str, ...]] | None:
    said = reader.table.get("subscales")
    if said is None:
        return None
    if not isinstance(said, Mapping):
        reader.complaints.append("stated.subscales: this is not a table of subscales, each with its items.")
        return None
    found = {}
    for name, named in list(said.items())[:MOST_SUBSCALES]:
        place = f"stated.subscales.{name}"
        if not name.strip() or len(name) > SUBSCALE_LENGTH or not name.isprintable():
            reader.complaints.append(
                f"{place}: a subscale has a name of {SUBSCALE_LENGTH} characters at most."
            )
        ids = reader.item_ids(named, place)
        if named == []:
            reader.complaints.append(f"{place}: this subscale has no items.")
        found[name.strip()] = ids or ()
    if len(said) > MOST_SUBSCALES:
        reader.complaints.append(f"stated.subscales: there are more than {MOST_SUBSCALES}.")
    return MappingProxyType(found)


def _differs(reader: _Reader) -> Collection[str]:
    said = reader.table.get("differs", [])
    if not isinstance(said, list) or any(part not in STATED_PARTS for part in said):
        reader.complaints.append(f"stated.differs: this is not a list of some of {', '.join(STATED_PARTS)}.")
        return ()
    certain = [part for part in said if part not in reader.instrument.to_state]
    for part in certain:
        reader.complaints.append(
            f"stated.differs: the {_SAID[part]} of {reader.instrument.name} is not in doubt."
        )
    return [part for part in said if part not in certain]


def _not_stated(table: Mapping[str, Any], instrument: Instrument) -> Iterator[str]:
    for part in STATED_PARTS:
        if part in instrument.to_state and part not in table:
            yield (
                f"stated.{part}: this is missing. The {_SAID[part]} of {instrument.name} is not confirmed: "
                "state it from the owner’s form."
            )


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


# --- Comparing ---------------------------------------------------------------------------------------


def contradictions(instrument: Instrument, stated: Stated) -> Iterator[tuple[str, str]]:
    """Each part that is stated otherwise than the definition has it, with a sentence that names both values."""
    ours = f"in our definition of {instrument.name}"
    if stated.items is not None and stated.items != len(instrument.items):
        yield "items", f"stated.items: {stated.items} here, {len(instrument.items)} {ours}."
    if stated.range is not None:
        known = instrument.items[0].minimum, instrument.items[0].maximum
        if stated.range != known:
            yield "range", f"stated.range: {_range_said(stated.range)} here, {_range_said(known)} {ours}."
    if stated.reverse is not None and "reverse" not in instrument.unknown:
        turned = tuple(item.id for item in instrument.items if item.reverse)
        if set(stated.reverse) != set(turned):
            yield "reverse", f"stated.reverse: {_said(stated.reverse)} here, {_said(turned)} {ours}."
    if stated.subscales is not None:
        for sentence in _other_subscales(instrument, stated.subscales):
            yield "subscales", f"{sentence} {ours}."


def _other_subscales(instrument: Instrument, stated: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if "subscales" in instrument.unknown:
        sizes = instrument.subscale_sizes
        if sizes and set(sizes) != set(stated):
            yield f"stated.subscales: {', '.join(stated) or 'none'} here, {', '.join(sizes)}"
        if not sizes and len(stated) != instrument.number_of_subscales:
            yield f"stated.subscales: {len(stated)} subscales here, {instrument.number_of_subscales}"
        for name in stated:
            if sizes.get(name) and len(stated[name]) != sizes[name]:
                yield f"stated.subscales.{name}: {len(stated[name])} items here, {sizes[name]}"
        return
    known = instrument.subscales
    if set(known) != set(stated):
        yield f"stated.subscales: {', '.join(stated) or 'none'} here, {', '.join(known) or 'none'}"
    for name in stated:
        if name in known and set(known[name]) != set(stated[name]):
            yield f"stated.subscales.{name}: {_said(stated[name])} here, {_said(known[name])}"


def _range_said(low_and_high: tuple[int, int]) -> str:
    return " to ".join(map(scale_end, low_and_high))


def _said(ids: Collection[str]) -> str:
    return ", ".join(one.removeprefix("item-") for one in ids) or "none"


def in_words(instrument: Instrument) -> list[tuple[str, str]]:
    """What is scored, as a person reads it against the owner's form: pairs of a name and a value."""
    low, high = instrument.items[0].minimum, instrument.items[0].maximum
    turned = _said([item.id for item in instrument.items if item.reverse])
    said = [
        ("Items", str(len(instrument.items))),
        ("Answers", _range_said((low, high))),
        ("Reversed items", "the owner’s form says which" if "reverse" in instrument.unknown else turned),
        *((f"Subscale {name}", f"items {_said(ids)}") for name, ids in instrument.subscales.items()),
    ]
    if "subscales" in instrument.unknown:
        names = ", ".join(instrument.subscale_sizes) or str(instrument.number_of_subscales)
        said.append(("Subscales", f"{names}; the owner’s form says which items"))
    return said
