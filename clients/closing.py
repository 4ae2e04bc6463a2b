"""What is still out where an episode ends, and what becomes of it.

Sessions, forms and flags are the business of `sessions_app`, which this app never imports: it registers itself here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from alliance.models import User
from clients.models import Episode, EpisodeClosing, EpisodeQuerySet


@dataclass(frozen=True)
class StillOut:
    """What an episode would leave behind that ended on a given day. Nothing clinical: an administrator reads it."""

    sessions: int = 0  # that took place, in all
    held_after: int = 0  # of those, the ones after that day
    last_held: date | None = None
    planned_after: tuple[datetime, ...] = ()
    unsettled: int = 0  # planned, over, and nobody said whether they took place
    forms_unopened: int = 0
    forms_open: int = 0
    accepted_until: datetime | None = None  # the latest moment at which marks of the open ones are taken


@dataclass(frozen=True)
class OpenReasons:
    """What is open in a course, for those who may see it."""

    flags: int = 0
    put_off: int = 0
    agreements: int = 0  # of which nobody said whether they helped
    set_aside: int = 0  # marks that nobody decided about

    def __bool__(self) -> bool:
        return bool(self.flags or self.put_off or self.agreements or self.set_aside)


@dataclass(frozen=True)
class Days:
    """The first day with a session that was not cancelled; None where there is none."""

    first: date | None = None


class Courses(Protocol):
    def still_out(self, ends: Mapping[int, date]) -> dict[int, StillOut]:
        """{episode: what it leaves behind}, for {episode: its last day}; in a fixed number of queries."""
        ...

    def open_reasons(self, episode: int) -> OpenReasons: ...

    def with_marks(self, episodes: EpisodeQuerySet) -> EpisodeQuerySet:
        """Those in which there is something that administrators must not see: marks, answers, what was talked about."""
        ...

    def days(self, episodes: Collection[int]) -> dict[int, Days]: ...

    def end(self, closing: EpisodeClosing, day: date, by: User) -> None:
        """Cancel, take back, and note it in `closing`, which is not saved yet. The caller holds the lock."""
        ...

    def take_up(self, closing: EpisodeClosing, by: User) -> None:
        """Undo of `end`, as far as it can be undone."""
        ...

    def forget(self, episode: Episode) -> None:
        """Before an episode in which nothing was written is taken away: what was concluded of nothing."""
        ...


_registered: list[Courses] = []


def register(courses: Courses) -> None:
    _registered.append(courses)


def courses() -> Courses:
    return _registered[-1]


# --- In words --------------------------------------------------------------------------------------


def held_after(label: str, day: date, out: StillOut) -> str:
    """Why an episode cannot end on `day`, which sessions lie after."""
    from clients.plausible_days import said

    assert out.last_held is not None
    took_place = "1 session" if out.held_after == 1 else f"{out.held_after} sessions"
    which = "on" if out.held_after == 1 else "the last on"
    return (
        f"{took_place} of {label} took place after {said(day)}, {which} {said(out.last_held)}. "
        f"An episode ends on the day of its last session or later."
    )
