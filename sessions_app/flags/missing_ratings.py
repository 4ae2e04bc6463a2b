"""Rule G where a rating has become overdue. Nothing but time brings that about, so nothing but the clock raises it."""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from alliance.measurement.overdue import OVERDUE_AFTER
from clients.models import Episode
from sessions_app.courses.models import TherapySession
from sessions_app.flags.conclude import conclude_many

log = logging.getLogger("alliance.clock")
AT_ONCE = 200
# Before the last time that it worked: the clock of the machine may have been wrong then.
FURTHER_BACK = timedelta(days=2)


class NotAll(Exception):
    """Some episodes could not be concluded; the others are."""


def raise_flags(since: datetime | None) -> None:
    """Look at what became overdue since this last worked, however long ago that was; None: at all that ever did.

    Older sessions are looked at with the next write of their episode. An isolated miss, which raises nothing, is
    not looked at for ever.
    """
    now = timezone.now()
    overdue = TherapySession.objects.overdue(now).exclude(flags__rule="G")
    if since is not None:
        overdue = overdue.filter(ends_at__gt=min(since, now) - OVERDUE_AFTER - FURTHER_BACK)
    rows = Episode.objects.open().filter(pk__in=overdue.values("episode")).order_by("pk")
    episodes = list(rows.values_list("pk", flat=True))
    failed = 0
    for start in range(0, len(episodes), AT_ONCE):
        failed += _conclude(episodes[start : start + AT_ONCE], now)
    if failed:
        raise NotAll(f"{failed} of {len(episodes)}")


def _conclude(episodes: list[int], now: datetime) -> int:
    """How many could not be: one broken episode keeps the flags of no other back."""
    try:
        conclude_many(episodes=episodes, now=now)
    except Exception:
        if len(episodes) == 1:
            code = Episode.objects.get(pk=episodes[0]).code
            log.warning("Episode %s could not be concluded.", code, exc_info=True)
            return 1
        return sum(_conclude([episode], now) for episode in episodes)
    return 0
