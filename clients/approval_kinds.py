"""The kinds of what a second person confirms: what each one means, whom it concerns, and what it does.

A room that has another one registers it here; the rows are in `alliance.approvals` (docs/adr/0068).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alliance.models import User
from alliance.refused import Refused
from clients.models import Episode, EpisodeQuerySet

What = Mapping[str, Any]
GONE = "What this was about is not there any more."


@dataclass(frozen=True)
class ApprovalKind:
    """said: the sentence of a page, without a label. opens: the episodes of which ratings would be seen.

    carry_out: does it; `until` is set in an emergency, and only where the kind has one. may_agree: who may confirm
    beside another administrator, because they can see these ratings anyway and nothing is opened to them.
    tells: further people whom it concerns.
    """

    code: str
    named: str  # in the access log
    said: Callable[[What, User | None], str]
    carry_out: Callable[..., Any]
    opens: Callable[[What, User | None], EpisodeQuerySet] = lambda what, person: Episode.objects.none()
    may_agree: Callable[[What, User | None], Iterable[User]] = lambda what, person: ()
    tells: Callable[[What, User | None], Iterable[User]] = lambda what, person: ()
    has_emergency: bool = False
    lapse: Callable[[Any, datetime], object] | None = None
    stay: Callable[[Any], object] | None = None
    tells_no_labels: bool = False  # it is about a person, not about clients who could be named
    is_used: bool = False  # it opens one step to an administrator, and does nothing by itself


_KINDS: dict[str, ApprovalKind] = {}


def register(kind: ApprovalKind) -> ApprovalKind:
    _KINDS[kind.code] = kind
    return kind


def kind_of(code: str) -> ApprovalKind:
    return _KINDS[code]


def names() -> dict[str, str]:
    return {code: kind.named for code, kind in _KINDS.items()}


def stored(rows: Any, **by: Any) -> Any:
    """The one row; a sentence where it went meanwhile."""
    found = rows.filter(**by).first()
    if found is None:
        raise Refused(GONE)
    return found


def person_of(pk: str) -> User:
    found: User = stored(User.objects, pk=pk)
    return found


def name_of(pk: str | None) -> str:
    found = User.objects.filter(pk=pk).first() if pk else None
    return str(found or "somebody no longer listed")
