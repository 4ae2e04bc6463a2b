"""What a client marks in one run: random tenths, empty lines, words of several scripts."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from alliance.measurement import instruments

ITEMS = tuple(item.id for item in instruments.get(instruments.SESSION_RATING).items)
WORDS = (
    "quieter",
    "the exam",
    "größer",
    "मेरी बहन",
    "أخي",
    "🙂",
    "a & b = c%",
    "1 < 2",
    "line\nbreak",
    '"so"',
)


@dataclass(frozen=True)
class Marks:
    """`answers` in tenths, None where a line is left out; `declined`: left out on purpose."""

    answers: tuple[int | None, ...]
    comment: str
    share: bool
    mode: str
    declined: bool = field(default=False, compare=False)  # it leaves no other trace than an empty line

    def for_page(self) -> dict[str, Any]:
        given = dict(zip(ITEMS, self.answers, strict=True))
        return {
            "answers": given,
            **{name: getattr(self, name) for name in ("declined", "comment", "share", "mode")},
        }


def draw(rng: Random) -> Marks:
    answers = tuple(
        rng.choice((0, 50, 100, None)) if rng.random() < 0.2 else rng.randint(0, 100) for _ in ITEMS
    )
    comment = " ".join(rng.choices(WORDS, k=rng.randint(0, 4)))
    is_marked = any(answer is not None for answer in answers)
    # Where no line is marked the page says nothing of a way, and the form stands at its first one.
    mode = rng.choice(("line", "number")) if is_marked else "number"
    return Marks(answers, comment, rng.random() < 0.5, mode, declined=rng.random() < 0.5)
