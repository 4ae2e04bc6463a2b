"""The number that a member types where one tablet goes round.

Drawn at random, so that it tells neither how many there are nor who came when. Any two of one group differ in two
places and are not each other with two digits exchanged: a slip of the finger opens nobody else's form.
"""

import secrets
from collections.abc import Collection
from functools import cache

LOWEST, HIGHEST = 100, 999


def are_alike(one: int, other: int) -> bool:
    """Whether one slip, of a digit or of two neighbouring digits, makes one of them the other."""
    first, second = str(one), str(other)
    differing = [place for place, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1]]
    if len(differing) < 2:
        return True
    if len(differing) > 2 or differing[1] - differing[0] != 1:
        return False
    a, b = differing
    return first[a] == second[b] and first[b] == second[a]


def new_number(taken: Collection[int]) -> int:
    """One that is like none of these."""
    return secrets.choice(sorted(set(range(LOWEST, HIGHEST + 1)).difference(*map(_all_like, taken))))


@cache
def _all_like(one: int) -> frozenset[int]:
    return frozenset(other for other in range(LOWEST, HIGHEST + 1) if are_alike(one, other))
