"""Of a wording file: the labels of the answers, shared or of one item, and the sections of a long form."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alliance.measurement.instruments import Instrument, Item
from alliance.measurement.scoring import scale_end
from alliance.measurement.wording_texts import part, text

MOST_SECTIONS = 20
SECTION_PARTS = ("title", "introduction", "items")
_NUMBER = re.compile(r"0|-?[1-9][0-9]?", re.ASCII)


def complaints(data: Mapping[str, Any], instrument: Instrument) -> Iterator[str]:
    """What is wrong with labels and sections of a file, each with its place."""
    items = data.get("items")
    own = {
        item.id: items[item.id]["points"]
        for item in instrument.items
        if isinstance(items, dict) and isinstance(items.get(item.id), dict) and "points" in items[item.id]
    }
    if instrument.format != "choices":
        if "points" in data:
            yield f"points: {instrument.name} has lines with two ends, and no labels of answers."
    else:
        yield from _labels(data, own, instrument)
    if "sections" in data:
        yield from _sections(data["sections"], instrument)


def _labels(data: Mapping[str, Any], own: Mapping[str, Any], instrument: Instrument) -> Iterator[str]:
    if "points" in data:
        yield from _table(data["points"], instrument.items[0], "points", instrument)
    for item in instrument.items:
        if item.id in own:
            yield from _table(own[item.id], item, f"items.{item.id}.points", instrument)
    unlabelled = [item.id for item in instrument.items if item.id not in own]
    if "points" not in data and unlabelled:
        said = "the answers have no labels" if not own else f"{', '.join(unlabelled)} have no labels either"
        yield f"points: this is missing, and {said}."


def _table(table: object, item: Item, place: str, instrument: Instrument) -> Iterator[str]:
    """Labels fit the range: a label beyond it means another range, and both are named."""
    if not isinstance(table, dict):
        yield f'{place}: this is not a table of answers and their labels, such as 1 = "…".'
        return
    numbers = [int(name) for name in table if _NUMBER.fullmatch(name)]
    for name in table:
        if not _NUMBER.fullmatch(name):
            yield f"{place}.{name}: this is not a whole number."
    low, high = item.minimum // 10, item.maximum // 10
    if numbers and (min(numbers) < low or max(numbers) > high):
        yield (
            f"{place}: the labels go from {min(numbers)} to {max(numbers)}, and the answers of {instrument.name} "
            f"from {scale_end(item.minimum)} to {scale_end(item.maximum)}."
        )
        return
    for end in (low, high):
        if end not in numbers:
            yield f"{place}.{end}: the lowest and the highest answer need a label."
    for name, label in table.items():
        yield from text(label, "label", f"{place}.{name}")
    said = [label.strip() for label in table.values() if isinstance(label, str) and label.strip()]
    if len(set(said)) < len(said):
        yield f"{place}: two answers have the same label."


def pairs(table: Mapping[str, str]) -> list[list[Any]]:
    """Labels as they are stored: [tenths, text], the lowest answer first."""
    return sorted([10 * int(number), label.strip()] for number, label in table.items())


def _sections(said: object, instrument: Instrument) -> Iterator[str]:
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        yield "sections: these are not tables, each under [[sections]]."
        return
    if len(said) > MOST_SECTIONS:
        yield f"sections: there are more than {MOST_SECTIONS}."
    found: list[str] = []
    for number, one in enumerate(said, 1):
        place = f"sections.{number}"
        for name in one:
            if name not in SECTION_PARTS:
                yield f"{place}.{name}: a section has no such part."
        yield from part(one, "title", f"{place}.title")
        if "introduction" in one:
            yield from text(one["introduction"], "introduction", f"{place}.introduction")
        listed = one.get("items")
        if not isinstance(listed, list) or not listed:
            yield f"{place}.items: this is not a list of items in brackets, such as [1, 2]."
            continue
        for name in listed:
            if _id(name, instrument) is None:
                yield f"{place}.items: {instrument.name} has no item {name}."
        found += [item_id for name in listed if (item_id := _id(name, instrument))]
    yield from _order(found, instrument)


def _order(found: list[str], instrument: Instrument) -> Iterator[str]:
    ids = [item.id for item in instrument.items]
    if missing := [one for one in ids if one not in found]:
        yield f"sections: {', '.join(missing)} stands in no section."
    if twice := sorted({one for one in found if found.count(one) > 1}, key=ids.index):
        yield f"sections: {', '.join(twice)} stands in two sections."
    elif not missing and found != ids:
        yield "sections: the items do not stand in their order, so that their numbers would go back and forth."


def _id(name: object, instrument: Instrument) -> str | None:
    ids = [item.id for item in instrument.items]
    if isinstance(name, int) and not isinstance(name, bool):
        return ids[name - 1] if 1 <= name <= len(ids) else None
    return name if isinstance(name, str) and name in ids else None


def stored_sections(said: Iterable[Mapping[str, Any]], instrument: Instrument) -> list[dict[str, Any]]:
    """Sections as they are stored, their items by ids."""
    return [
        {
            "title": one["title"].strip(),
            "introduction": one.get("introduction", "").strip(),
            "items": [_id(name, instrument) for name in one["items"]],
        }
        for one in said
    ]
