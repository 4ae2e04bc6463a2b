"""What other rooms know about the rows that a backup must not lose. They register it here in `ready()`."""

from collections.abc import Callable
from io import StringIO
from typing import NamedTuple

from django.core.management import call_command

from alliance.models import User


class Kept(NamedTuple):
    """Rows that are only ever added. `moment`: the column that says when, by the clock of the server."""

    table: str
    moment: str
    one: str
    many: str

    def counted(self, count: int) -> str:
        return f"{count:,} {self.one if count == 1 else self.many}"


PageToTry = Callable[[User], "str | None"]
_KEPT: list[Kept] = []
_PAGES_TO_TRY: list[PageToTry] = []


def register(*kept: Kept) -> None:
    """Before what is there: whoever knows most of the clinic comes last, and is named first."""
    _KEPT[:0] = [one for one in kept if one not in _KEPT]


def register_page(page: PageToTry) -> None:
    """`page`: the address of a page with the newest facts that this person may see, if there is one."""
    if page not in _PAGES_TO_TRY:
        _PAGES_TO_TRY.append(page)


def kept() -> tuple[Kept, ...]:
    return tuple(_KEPT)


def erasure_lines() -> list[str]:
    """Every confirmed erasure as a line that `manage.py replay_erasures` reads."""
    call_command("list_erasures", stdout=(said := StringIO()))
    return said.getvalue().splitlines(keepends=True)


def pages_to_try(person: User) -> list[str]:
    return [address for page in _PAGES_TO_TRY if (address := page(person))]
