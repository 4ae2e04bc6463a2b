"""The share of rated sessions that put a client on the work list: the list stays right only while that is seldom."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from alliance.measurement.process import Share
from alliance.measurement.standing import CourseEvents, flag_standings
from clients.models import Episode
from sessions_app.flags import facts
from sessions_app.flags.facts import CourseFacts, beginning_of

AT_ONCE = 200  # episodes


@dataclass(frozen=True, slots=True)
class WorkListShare:
    """Of the rated sessions of some episodes (`rated`):

    put_on: those whose rating put the client on the list, who was not on it just before.
    at_first: those of them that were the first rating of an episode.
    still_on: those of them that the list still showed when the day was over, so that it was not talked
    about at once.
    """

    rated: int
    put_on: int
    at_first: int
    still_on: int

    def __add__(self, other: "WorkListShare") -> "WorkListShare":
        return WorkListShare(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )

    @property
    def share(self) -> Share:
        return Share(self.put_on, self.rated)

    @property
    def share_still_on(self) -> Share:
        return Share(self.still_on, self.rated)


def count(episodes: Iterable[Episode]) -> WorkListShare:
    """Over the whole history of `episodes`; two queries for each `AT_ONCE` of them.

    What the list showed then is asked of the rule that fills it now, so the two cannot drift apart.
    """
    total, chosen = WorkListShare(0, 0, 0, 0), [episode.pk for episode in episodes]
    for start in range(0, len(chosen), AT_ONCE):
        for found in facts.read(chosen[start : start + AT_ONCE]).values():
            total += _of_course(found)
    return total


def _of_course(found: CourseFacts) -> WorkListShare:
    events = found.events()
    rated = [session.number for session in found.sessions if session.pk in found.ratings]
    reasons: dict[int, list[datetime]] = defaultdict(list)
    for flag in events.flags:
        if flag.on_work_list:
            reasons[flag.number].append(flag.raised_at)
    put_on = at_first = still_on = 0
    for number, raised in reasons.items():
        moment = min(raised)
        if _shown(events, moment) != {number}:
            continue
        put_on += 1
        at_first += bool(rated) and number == rated[0]
        still_on += number in _shown(events, _end_of_day(moment))
    return WorkListShare(len(rated), put_on, at_first, still_on)


def _shown(events: CourseEvents, moment: datetime) -> set[int]:
    """The sessions of what called for a talk at that moment."""
    return {one.flag.number for one in flag_standings(events.until(moment)) if one.calls(moment)}


def _end_of_day(moment: datetime) -> datetime:
    return beginning_of(timezone.localdate(moment) + timedelta(days=1))
