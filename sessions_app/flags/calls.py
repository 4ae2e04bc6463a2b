"""How often a rated session puts a client on the work list: the list stays right only while that is seldom."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone

from alliance.measurement.process import Share
from clients.models import Episode
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags.models import Flag


@dataclass(frozen=True, slots=True)
class Calls:
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

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def share(self) -> Share:
        return Share(self.put_on, self.rated)

    @property
    def share_still_on(self) -> Share:
        return Share(self.still_on, self.rated)


def count(episodes: Iterable[Episode]) -> Calls:
    """Over the whole history of `episodes`: one query for each session that has a reason to talk, and three more.

    What the list showed then is asked of `for_work_list` itself, so the two cannot drift apart.
    """
    chosen = list(episodes)
    rated = Rating.objects.standing().filter(session__episode__in=chosen)
    first: dict[int, int] = {}
    for episode, number in rated.values_list("session__episode", "session__number"):
        first[episode] = min(number, first.get(episode, number))
    put_on = at_first = still_on = 0
    for session, raised in _reasons(chosen).items():
        moment = min(flag.raised_at for flag in raised)
        of_episode = Flag.objects.filter(session__episode=session.episode_id)
        shown = list(of_episode.for_work_list(moment).values_list("session", flat=True))
        if not shown or set(shown) != {session.pk}:
            continue
        put_on += 1
        at_first += session.number == first.get(session.episode_id)
        still_on += of_episode.for_work_list(_end_of_day(moment)).filter(session=session).exists()
    return Calls(rated.count(), put_on, at_first, still_on)


def _reasons(episodes: list[Episode]) -> dict[TherapySession, list[Flag]]:
    found: dict[TherapySession, list[Flag]] = defaultdict(list)
    flags = Flag.objects.standing().filter(session__episode__in=episodes, on_work_list=True)
    for flag in flags.select_related("session"):
        found[flag.session].append(flag)
    return found


def _end_of_day(moment: datetime) -> datetime:
    day = timezone.localdate(moment) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, time.min))
