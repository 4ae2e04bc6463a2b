"""The texts of a wording file: how long each may be, and what none may hold."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Any

# A question of 200 characters still fits a narrow phone; the ends stand beside each other under the line.
LENGTHS = {
    "instrument": 40,
    "version": 20,
    "language": 10,
    "edition": 20,
    "title": 120,
    "introduction": 600,
    "stem": 300,
    "copyright": 300,
    "question": 200,
    "low_end": 60,
    "high_end": 60,
    "label": 60,
}
MAY_BREAK = ("introduction", "stem", "copyright", "terms", "line")
# Format characters that turn the direction of everything after them; the marks LRM and RLM do not.
_OVERRIDES = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class WordingError(ValueError):
    """A file that cannot be loaded: plain `sentences`, each of which names its place."""

    def __init__(self, sentences: Collection[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


def part(table: Mapping[str, Any], name: str, place: str, *, most: int = 0) -> Iterator[str]:
    """Complaints about a text that has to be there; `most`: its length, where it is not one of LENGTHS."""
    if name in table:
        yield from text(table[name], name, place, most=most)
    else:
        yield f"{place}: this is missing."


def text(value: object, name: str, place: str, *, most: int = 0) -> Iterator[str]:
    """Complaints about one text: it says something, it fits, and it holds nothing invisible."""
    most = most or LENGTHS[name]
    if not isinstance(value, str):
        yield f"{place}: this is not a text in quotes."
    elif not value.strip():
        yield f"{place}: this is empty."
    elif len(value.strip()) > most:
        yield f"{place}: this is longer than {most} characters ({len(value.strip())})."
    elif _holds_controls(value.strip(), line_breaks=name in MAY_BREAK):
        yield f"{place}: this holds a control character, or a line break where there can be none."


def _holds_controls(value: str, *, line_breaks: bool) -> bool:
    def is_one(character: str) -> bool:
        if character == "\n":
            return not line_breaks
        return unicodedata.category(character) in {"Cc", "Cs"} or character in _OVERRIDES

    return any(map(is_one, value))
