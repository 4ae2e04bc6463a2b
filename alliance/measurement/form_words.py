"""The words of a form, in one language: questions, what their answers are called, sections, the owner's line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

# Where a text has the therapist's name.
THERAPIST = "{therapist}"


@dataclass(frozen=True, slots=True)
class PointLabel:
    """What one possible answer is called."""

    value_tenths: int
    label: str


@dataclass(frozen=True, slots=True)
class ItemWording:
    """points: labels of this item's own; empty where it has those of the whole form, or is a line with two ends."""

    question: str
    low_end: str = ""
    high_end: str = ""
    points: tuple[PointLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a long form under its own heading; `items` are ids."""

    title: str
    introduction: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """What the client reads, in one language (BCP 47 tag).

    stem: what stands above all questions and is finished by each of them. copyright: the owner's line, shown and
    printed as it is. Any text but the copyright line may hold `{therapist}`, which is replaced by the name as text.
    """

    language: str
    title: str
    introduction: str
    items: Mapping[str, ItemWording]
    points: tuple[PointLabel, ...] = ()
    sections: tuple[Section, ...] = ()
    stem: str = ""
    copyright: str = ""

    def points_of(self, item_id: str) -> tuple[PointLabel, ...]:
        """The labels of this item's answers, its own or those of the whole form."""
        return self.items[item_id].points or self.points

    @property
    def texts(self) -> Iterator[str]:
        """Every text that may name the therapist."""
        yield from (self.title, self.introduction, self.stem)
        for item in self.items.values():
            yield from (item.question, item.low_end, item.high_end, *(one.label for one in item.points))
        yield from (one.label for one in self.points)
        for section in self.sections:
            yield from (section.title, section.introduction)

    @property
    def names_the_therapist(self) -> bool:
        return any(THERAPIST in text for text in self.texts)

    def named(self, therapist: str) -> "Wording":
        """This wording with a name in the place of `{therapist}`: as text, whatever the name holds."""

        def said(text: str) -> str:
            return text.replace(THERAPIST, therapist)

        def labels(points: tuple[PointLabel, ...]) -> tuple[PointLabel, ...]:
            return tuple(replace(one, label=said(one.label)) for one in points)

        lines = {
            item_id: ItemWording(
                said(one.question), said(one.low_end), said(one.high_end), labels(one.points)
            )
            for item_id, one in self.items.items()
        }
        return replace(
            self,
            title=said(self.title),
            introduction=said(self.introduction),
            items=MappingProxyType(lines),
            points=labels(self.points),
            sections=tuple(
                replace(one, title=said(one.title), introduction=said(one.introduction))
                for one in self.sections
            ),
            stem=said(self.stem),
        )


def item_wording(parts: Mapping[str, Any]) -> ItemWording:
    """One item's words from their stored parts."""
    texts = {name: parts[name] for name in ("question", "low_end", "high_end") if name in parts}
    return ItemWording(**texts, points=point_labels(parts.get("points", ())))


def point_labels(points: Iterable[Sequence[Any]]) -> tuple[PointLabel, ...]:
    """Labels from their stored form: pairs of tenths and text."""
    return tuple(PointLabel(value, label) for value, label in points)


def sections(stored: Iterable[Mapping[str, Any]]) -> tuple[Section, ...]:
    """Sections from their stored form: tables of title, introduction and the ids of items."""
    return tuple(Section(one["title"], one.get("introduction", ""), tuple(one["items"])) for one in stored)
