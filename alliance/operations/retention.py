"""Which backups are kept: of each of the last days, weeks and months the newest."""

from collections.abc import Callable, Collection, Hashable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

RECENT = timedelta(hours=48)


class Keep(NamedTuple):
    """How many days, weeks and months that have a backup: one that was away for a month loses none by that."""

    daily: int
    weekly: int
    monthly: int


def to_delete(made: Iterable[datetime], keep: Keep, *, never: Collection[datetime] = ()) -> list[datetime]:
    """Those that may go, oldest first; the newest never, nor what stands in `never`."""
    newest_first = sorted(made, reverse=True)
    # One made by hand, before an upgrade for instance, is not gone the same night.
    kept = {*never, *(at for at in newest_first if newest_first[0] - at < RECENT)}
    for most, span in ((keep.daily, _day), (keep.weekly, _week), (keep.monthly, _month)):
        kept |= _newest_of_each(newest_first, span, most)
    return [at for at in reversed(newest_first) if at not in kept]


def _newest_of_each(
    newest_first: list[datetime], span: Callable[[datetime], Hashable], most: int
) -> set[datetime]:
    found: dict[Hashable, datetime] = {}
    for at in newest_first:
        found.setdefault(span(at), at)
    return set(list(found.values())[:most])


def _day(at: datetime) -> Hashable:
    return timezone.localtime(at).date()


def _week(at: datetime) -> Hashable:
    return timezone.localtime(at).isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    local = timezone.localtime(at)
    return local.year, local.month
