"""manage.py raise_missing: raise rule G where a rating has become overdue. Nothing else raises it by itself."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from alliance.measurement.overdue import OVERDUE_AFTER
from clients.models import Episode
from sessions_app.courses.models import TherapySession
from sessions_app.flags.conclude import conclude_many

LOOKED_BACK = timedelta(days=2)  # the clock may have stood still over a weekend of work on the server

AT_ONCE = 200


class Command(BaseCommand):
    help = (
        "Raises the flag for missing ratings where one has become overdue; run it every quarter of an hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        # Only what became overdue lately: older sessions are looked at with the next write of their episode,
        # and an isolated miss, which raises nothing, is not looked at for ever.
        lately = TherapySession.objects.overdue(now).filter(ends_at__gt=now - OVERDUE_AFTER - LOOKED_BACK)
        overdue = lately.exclude(flags__rule="G").values("episode")
        episodes = list(Episode.objects.open().filter(pk__in=overdue).values_list("pk", flat=True))
        for start in range(0, len(episodes), AT_ONCE):
            conclude_many(episodes=episodes[start : start + AT_ONCE], now=now)
