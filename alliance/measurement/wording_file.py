"""The file with which a clinic loads wording it holds a licence for: read, checked, explained in sentences.

TOML in UTF-8, one language a file:

    instrument = "srs"          # version = "1" may follow; else the newest
    language = "en"
    edition = "2026"
    title = "..."
    introduction = "..."

    [items.relationship]        # and so on, every line of the instrument
    question = "..."
    low_end = "..."
    high_end = "..."
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, UnknownInstrument, Wording

MOST_BYTES = 64 * 1024
HEAD = ("instrument", "language", "edition", "title", "introduction", "items")
OPTIONAL = ("version",)
LINE_PARTS = ("question", "low_end", "high_end")
# A question of 200 characters still fits a narrow phone; the ends stand beside each other under the line.
LENGTHS = {
    "instrument": 40,
    "version": 20,
    "language": 10,
    "edition": 20,
    "title": 120,
    "introduction": 600,
    "question": 200,
    "low_end": 60,
    "high_end": 60,
}
_EDITION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?", re.ASCII)
# Format characters that turn the direction of everything after them; the marks LRM and RLM do not.
_OVERRIDES = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class WordingError(ValueError):
    """A file that cannot be loaded: plain `sentences`, each of which names its place."""

    def __init__(self, sentences: Collection[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


@dataclass(frozen=True, slots=True)
class WordingFile:
    """The wording of one instrument version in one language. edition: what its owner calls this text."""

    instrument: Instrument
    edition: str
    wording: Wording


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


def read_wording(text: str, languages: Collection[str]) -> WordingFile:
    """Read and check a whole file. `languages`: those the form speaks. Raises WordingError with all complaints."""
    data = _parsed(text)
    complaints = [*_head(data), *_body(data)]
    instrument = _instrument(data, complaints)
    if instrument is not None:
        complaints += _items(data.get("items"), instrument)
    language = data.get("language")
    if isinstance(language, str) and language.strip() and language.strip() not in languages:
        spoken = ", ".join(languages)
        complaints.append(f"language: the form does not speak “{language}”. It speaks {spoken}.")
    if complaints or instrument is None:
        raise WordingError(complaints)
    return WordingFile(instrument, data["edition"].strip(), _wording(data, instrument))


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
    for name in ("instrument", "language", "edition", "title", "introduction"):
        yield from _text(data, name, name)
    if "version" in data:
        yield from _text(data, "version", "version")


def _instrument(data: Mapping[str, Any], complaints: list[str]) -> Instrument | None:
    wanted, version = data.get("instrument"), data.get("version")
    if not isinstance(wanted, str) or not isinstance(version, str | None) or not wanted.strip():
        return None
    try:
        found = instruments.get(wanted.strip(), version.strip() if version else None)
    except UnknownInstrument as error:
        complaints.append(f"instrument: {error}")
        return None
    refusal = cannot_be_loaded(found)
    if refusal:
        complaints.append(f"instrument: {refusal}")
    return found


def cannot_be_loaded(instrument: Instrument) -> str:
    """Why no wording is loaded for this instrument, as a sentence; empty where it can be."""
    if not instrument.licensed:
        return f"{instrument.name} comes with its own wording, which is not replaced."
    if instrument.id not in instruments.session_scale_ids():
        return f"{instrument.name} is not one of the four-line scales that the form can show."
    if instrument.paper_only:
        return f"{instrument.name} is entered from paper only: {instrument.paper_only}."
    return ""


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
            yield f"items.{name}: {instrument.name} has no such line. Its lines are {', '.join(known)}."
    for name in known:
        if name in items:
            yield from _item(items[name], f"items.{name}")
        else:
            yield f"items.{name}: this line is missing."


def _item(line: object, place: str) -> Iterator[str]:
    if not isinstance(line, dict):
        yield f"{place}: this is not a table with question, low_end and high_end."
        return
    parts = LINE_PARTS
    for name in line:
        if name not in parts:
            yield f"{place}.{name}: a line has no such part."
    for name in parts:
        yield from _text(line, name, f"{place}.{name}")
    low, high = line.get("low_end"), line.get("high_end")
    if isinstance(low, str) and isinstance(high, str) and low.strip() and low.strip() == high.strip():
        yield f"{place}: both ends say the same."


def _text(table: Mapping[str, Any], name: str, place: str) -> Iterator[str]:
    """Complaints about one text: it is there, it says something, it fits, and it holds nothing invisible."""
    if name not in table:
        yield f"{place}: this is missing."
        return
    value = table[name]
    if not isinstance(value, str):
        yield f"{place}: this is not a text in quotes."
    elif not value.strip():
        yield f"{place}: this is empty."
    elif len(value.strip()) > LENGTHS[name]:
        yield f"{place}: this is longer than {LENGTHS[name]} characters ({len(value.strip())})."
    elif _holds_controls(value.strip(), line_breaks=name == "introduction"):
        yield f"{place}: this holds a control character, or a line break where there can be none."


def _holds_controls(value: str, *, line_breaks: bool) -> bool:
    def is_one(character: str) -> bool:
        if character == "\n":
            return not line_breaks
        return unicodedata.category(character) in {"Cc", "Cs"} or character in _OVERRIDES

    return any(map(is_one, value))


def _wording(data: Mapping[str, Any], instrument: Instrument) -> Wording:
    return as_wording(
        language=data["language"].strip(),
        title=data["title"].strip(),
        introduction=data["introduction"].strip(),
        items={item.id: _stripped(data["items"][item.id]) for item in instrument.items},
    )


def _stripped(line: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in line.items()}


def as_wording(
    *, language: str, title: str, introduction: str, items: Mapping[str, Mapping[str, str]]
) -> Wording:
    """A wording from its stored parts; `items` is {line: {question, low_end, high_end}}."""
    lines = {item_id: instruments.item_wording(parts) for item_id, parts in items.items()}
    return Wording(language, title, introduction, MappingProxyType(lines))
