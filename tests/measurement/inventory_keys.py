"""The scoring keys of the inventories, written down a second time, and a slow way to score by them.

Where nobody but the owner's form knows a key, the test files state an invented one, and that stands here.
"""

from fractions import Fraction
from math import floor
from typing import NamedTuple


class Key(NamedTuple):
    items: int
    low: int
    high: int
    turned: tuple[int, ...] = ()
    subscales: dict[str, list[int]] = {}  # noqa: RUF012
    method: str = "sum"
    has_total: bool = True


def of(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


KEYS = {
    "wai": Key(
        36, 1, 7, (1, 3, 7, 9, 10, 11, 12, 15, 20, 27, 29, 31, 33, 34),
        {
            "bond": [1, 5, 8, 17, 19, 20, 21, 23, 26, 28, 29, 36],
            "task": [2, 4, 7, 11, 13, 15, 16, 18, 24, 31, 33, 35],
            "goal": [3, 6, 9, 10, 12, 14, 22, 25, 27, 30, 32, 34],
        },
    ),
    "wai-s": Key(12, 1, 7, (4, 10), {"task": [1, 2, 8, 12], "bond": [3, 5, 7, 9], "goal": [4, 6, 10, 11]}),
    "wai-sr": Key(12, 1, 5, (), {"task": [1, 2, 10, 12], "bond": [3, 5, 7, 9], "goal": [4, 6, 8, 11]}),
    "sai": Key(6, 0, 5),
    "br-wai": Key(16, 1, 5, (3, 12), {"bond": of(1, 8), "task and goal": of(9, 16)}),
    "arm-28": Key(
        28, 1, 7, (2, 20),
        {
            "bond": of(1, 6), "partnership": of(7, 10), "confidence": of(11, 17), "openness": of(18, 22),
            "client initiative": of(23, 28),
        },
        "mean",
    ),
    "arm-5": Key(5, 1, 7, (3,), {}, "mean"),
    "calpas": Key(
        24, 1, 7, (1, 24),
        {
            "patient commitment": of(1, 6), "patient working capacity": of(7, 12),
            "therapist understanding and involvement": of(13, 18), "working strategy consensus": of(19, 24),
        },
        "mean",
    ),
    "haq-ii": Key(19, 1, 6, (4, 8, 11, 16, 19)),
    "haq": Key(11, 1, 6),
    "vpps": Key(80, 1, 5, (), {f"scale {n}": of(11 * n + 1, 11 * n + 11) for n in range(7)}, "mean", False),
    "taqs": Key(5, 1, 5, (), {}, "mean"),
    "taqr": Key(4, 1, 5, (2,), {}, "mean"),
    "tasc-r": Key(12, 1, 4, (5, 6), {"bond": of(1, 6), "task": of(7, 12)}),
    "phq-9": Key(9, 0, 3),
    "phq-8": Key(8, 0, 3),
    "gad-7": Key(7, 0, 3),
    "core-10": Key(10, 0, 4, (2, 3)),
}  # fmt: skip


def stated(instrument: str) -> str:
    """The [stated] part that gives an instrument this key, where its definition leaves something to state."""
    key = KEYS[instrument]
    lines = [f"items = {key.items}", f"range = [{key.low}, {key.high}]", f"reverse = {list(key.turned)}"]
    subscales = [f"'{name}' = {ids}" for name, ids in key.subscales.items()]
    return "\n".join(["[stated]", *lines, *(["[stated.subscales]", *subscales] if subscales else [])])


def slow_score(instrument: str, marks: dict[int, int]) -> tuple[int | None, dict[str, int | None]]:
    """Total and subscales in tenths from marks by number, in points; a missing mark leaves none."""
    key = KEYS[instrument]

    def put_together(numbers: list[int]) -> int | None:
        if any(number not in marks for number in numbers):
            return None
        turned = [key.low + key.high - marks[n] if n in key.turned else marks[n] for n in numbers]
        whole = Fraction(sum(turned), len(turned) if key.method == "mean" else 1)
        return floor(10 * whole + Fraction(1, 2))

    total = put_together(of(1, key.items)) if key.has_total else None
    return total, {name: put_together(ids) for name, ids in key.subscales.items()}
