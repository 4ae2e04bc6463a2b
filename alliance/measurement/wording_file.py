"""The file with which a clinic loads wording it holds a licence for: read, checked, explained in sentences.

TOML in UTF-8, one language a file. A form of lines has two ends for each:

    instrument = "srs"          # version = "1" may follow; else the newest
    language = "en"
    edition = "2026"
    title = "..."
    introduction = "..."
    copyright = "..."           # the owner's line, if there is one: shown and printed as it is

    [items.relationship]        # and so on, every line of the instrument
    question = "..."
    low_end = "..."
    high_end = "..."

A form of choices has labels for its answers instead, and may have a stem and sections:

    stem = "..."                # what stands above all questions
    [points]                    # the labels of all items; the lowest and the highest must have one
    1 = "..."
    7 = "..."

    [items]
    item-1 = "..."              # just its question
    [items.item-2]              # or with labels of its own
    question = "..."
    points = { 1 = "...", 7 = "..." }

    [[sections]]                # if any: every item once, in their order
    title = "..."
    introduction = "..."        # if any
    items = [1, 2]

`{therapist}` in a text is where the form puts the therapist's name. What the definition leaves to the owner's form is
stated in `[stated]`: see `stated_parts`.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from alliance.measurement import instruments, stated_parts, wording_points
from alliance.measurement.form_words import ItemWording, Wording, item_wording, point_labels, sections
from alliance.measurement.instruments import Instrument, UnknownInstrument
from alliance.measurement.stated_parts import NOTHING_STATED, Stated
from alliance.measurement.wording_texts import LENGTHS, WordingError, part, text

MOST_BYTES = 64 * 1024
HEAD = ("instrument", "language", "edition", "title", "introduction", "items")
TEXTS = ("instrument", "language", "edition", "title", "introduction")
OPTIONAL_TEXTS = ("version", "stem", "copyright")
OPTIONAL = (*OPTIONAL_TEXTS, "points", "sections", "stated")
LINE_PARTS = ("question", "low_end", "high_end")
CHOICE_PARTS = ("question", "points")
_EDITION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?", re.ASCII)

__all__ = ["LENGTHS", "MOST_BYTES", "WordingError", "WordingFile", "decoded", "read_wording"]


@dataclass(frozen=True, slots=True)
class WordingFile:
    """The wording of one instrument version in one language. edition: what its owner calls this text.

    instrument: as the definition has it; stated: what the file says of it; `scored` is the two together.
    """

    instrument: Instrument
    edition: str
    wording: Wording
    stated: Stated = NOTHING_STATED

    @property
    def scored(self) -> Instrument:
        return stated_parts.as_stated(self.instrument, self.stated)


def decoded(raw: bytes) -> str:
    """The text of a file. Raises WordingError where it is too large or not UTF-8."""
    if len(raw) > MOST_BYTES:
        raise WordingError([f"The file is larger than {MOST_BYTES // 1024} KB, so it is not a wording file."])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise WordingError(
            [f"Line {line} is not UTF-8 text. Save the file as UTF-8 and try again."]
        ) from error


def read_wording(text: str, languages: Collection[str], *, in_pack: bool = False) -> WordingFile:
    """Read and check a whole file. `languages`: those the form speaks. Raises WordingError with all complaints.

    in_pack: it comes with a pack of its owner, and not by itself.
    """
    data = _parsed(text)
    complaints = [*_head(data), *_body(data)]
    instrument = _instrument(data, complaints, in_pack=in_pack)
    stated, scored = NOTHING_STATED, instrument
    if instrument is not None and scored is not None:
        if "stated" in data or instrument.to_state:
            stated, said = stated_parts.read_stated(data.get("stated", {}), instrument)
            complaints += said
            scored = stated_parts.as_stated(instrument, stated)
        complaints += _items(data.get("items"), scored)
        complaints += wording_points.complaints(data, scored)
    complaints += _language(data, languages)
    if complaints or instrument is None or scored is None:
        raise WordingError(complaints)
    return WordingFile(instrument, data["edition"].strip(), _wording(data, scored), stated)


def _parsed(text: str) -> Mapping[str, Any]:
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise WordingError([f"The text is longer than {MOST_BYTES // 1024} KB, so it is not a wording file."])
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise WordingError([f"The file is not TOML: {error}."]) from error
    except RecursionError as error:  # brackets in brackets, thousands deep
        raise WordingError(["The file is not a wording file: its brackets are nested too deep."]) from error


def _head(data: Mapping[str, Any]) -> Iterator[str]:
    for name in data:
        if name not in (*HEAD, *OPTIONAL):
            yield f"{name}: a wording file has no such part."
    edition = data.get("edition")
    if isinstance(edition, str) and edition.strip() and not _EDITION.fullmatch(edition.strip()):
        yield "edition: letters, digits, spaces, dots and dashes only, such as 2026 or 2026-b."


def _body(data: Mapping[str, Any]) -> Iterator[str]:
    for name in TEXTS:
        yield from part(data, name, name)
    for name in OPTIONAL_TEXTS:
        if name in data:
            yield from part(data, name, name)


def _language(data: Mapping[str, Any], languages: Collection[str]) -> Iterator[str]:
    language = data.get("language")
    if isinstance(language, str) and language.strip() and language.strip() not in languages:
        yield f"language: the form does not speak “{language}”. It speaks {', '.join(languages)}."


def _instrument(data: Mapping[str, Any], complaints: list[str], *, in_pack: bool) -> Instrument | None:
    wanted, version = data.get("instrument"), data.get("version")
    if not isinstance(wanted, str) or not isinstance(version, str | None) or not wanted.strip():
        return None
    try:
        found = instruments.get(wanted.strip(), version.strip() if version else None)
    except UnknownInstrument as error:
        complaints.append(f"instrument: {error}")
        return None
    language = data.get("language")
    refusal = cannot_be_loaded(found, language.strip() if isinstance(language, str) else "", in_pack=in_pack)
    if refusal:
        complaints.append(f"instrument: {refusal}")
    return found


def cannot_be_loaded(instrument: Instrument, language: str = "", *, in_pack: bool = False) -> str:
    """Why no wording is loaded for this instrument, as a sentence; empty where it can be.

    Of an instrument that is free, its own wording stays, and another language of it may come.
    """
    if instrument.licence == "ours" or language in instrument.wordings:
        return f"{instrument.name} comes with its own wording, which is not replaced."
    if in_pack != (instrument.licence == "pack"):
        return f"{instrument.name} comes in a pack." if instrument.licence == "pack" else _NO_PACK
    if instrument.paper_only:
        return f"{instrument.name} is entered from paper only: {instrument.paper_only}."
    return ""


_NO_PACK = "This instrument is not for packs: its wording is loaded by the clinic."


def _items(items: object, instrument: Instrument) -> Iterator[str]:
    if items is None:
        yield "items: the lines are missing."
        return
    if not isinstance(items, dict):
        yield "items: this is not a table of lines, each under [items.…]."
        return
    known = [item.id for item in instrument.items]
    for name in items:
        if name not in known:
            yield f"items.{name}: {instrument.name} has no such line. Its lines are {_listed(known)}."
    for name in known:
        if name in items:
            yield from _item(items[name], f"items.{name}", is_choice=instrument.format == "choices")
        else:
            yield f"items.{name}: this line is missing."


def _listed(ids: list[str]) -> str:
    return f"{ids[0]} to {ids[-1]}" if ids[0] == "item-1" and len(ids) > 1 else ", ".join(ids)


def _item(line: object, place: str, *, is_choice: bool) -> Iterator[str]:
    parts = CHOICE_PARTS if is_choice else LINE_PARTS
    if is_choice and isinstance(line, str):
        yield from text(line, "question", place)
        return
    if not isinstance(line, dict):
        said = "question in quotes" if is_choice else "table with question, low_end and high_end"
        yield f"{place}: this is not a {said}."
        return
    for name in line:
        if name not in parts:
            yield f"{place}.{name}: a {'question with choices' if is_choice else 'line'} has no such part."
    for name in parts:
        if name != "points":  # those are read with the shared ones
            yield from part(line, name, f"{place}.{name}")
    low, high = line.get("low_end"), line.get("high_end")
    if isinstance(low, str) and isinstance(high, str) and low.strip() and low.strip() == high.strip():
        yield f"{place}: both ends say the same."


def _wording(data: Mapping[str, Any], instrument: Instrument) -> Wording:
    return as_wording(
        language=data["language"].strip(),
        title=data["title"].strip(),
        introduction=data["introduction"].strip(),
        items={item.id: _stripped(data["items"][item.id]) for item in instrument.items},
        form={
            "points": wording_points.pairs(data.get("points", {})),
            "sections": wording_points.stored_sections(data.get("sections", ()), instrument),
            **{name: data[name].strip() for name in ("stem", "copyright") if name in data},
        },
    )


def _stripped(line: str | Mapping[str, Any]) -> dict[str, Any]:
    """The stored parts of one item."""
    if isinstance(line, str):
        return {"question": line.strip()}
    parts: dict[str, Any] = {name: value.strip() for name, value in line.items() if name != "points"}
    return {**parts, "points": wording_points.pairs(line["points"])} if "points" in line else parts


def as_wording(
    *,
    language: str,
    title: str,
    introduction: str,
    items: Mapping[str, Mapping[str, Any]],
    form: Mapping[str, Any] | None = None,
) -> Wording:
    """A wording from its stored parts; `items` is {item: {question, low_end, high_end, points}}."""
    lines = {item_id: item_wording(parts) for item_id, parts in items.items()}
    more = form or {}
    return Wording(
        language=language,
        title=title,
        introduction=introduction,
        items=MappingProxyType(lines),
        points=point_labels(more.get("points", ())),
        sections=sections(more.get("sections", ())),
        stem=more.get("stem", ""),
        copyright=more.get("copyright", ""),
    )


def stored_items(wording: Wording) -> dict[str, dict[str, Any]]:
    """The items of a wording as JSON keeps them; parts that say nothing are left out."""
    return {item_id: _stored_item(line) for item_id, line in wording.items.items()}


def _stored_item(line: ItemWording) -> dict[str, Any]:
    texts = {name: getattr(line, name) for name in LINE_PARTS if getattr(line, name)}
    points = [[point.value_tenths, point.label] for point in line.points]
    return {**texts, "points": points} if points else texts


def stored_form(wording: Wording, stated: Stated) -> dict[str, Any]:
    """What a wording has beside title, introduction and items, as JSON keeps it; {} where that is nothing."""
    parts = {
        "points": [[point.value_tenths, point.label] for point in wording.points],
        "sections": [
            {"title": one.title, "introduction": one.introduction, "items": list(one.items)}
            for one in wording.sections
        ],
        "stem": wording.stem,
        "copyright": wording.copyright,
        "stated": stated.stored,
    }
    return {name: value for name, value in parts.items() if value}
