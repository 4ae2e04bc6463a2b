"""manage.py raise_missing: raise rule G where a rating has become overdue. Nothing else raises it by itself."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from clients.models import Episode
from sessions_app import actions
from sessions_app.models import TherapySession


class Command(BaseCommand):
    help = (
        "Raises the flag for missing ratings where one has become overdue; run it every quarter of an hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        overdue = TherapySession.objects.overdue(now).filter(flags__isnull=True).values("episode")
        for episode in Episode.objects.open().filter(pk__in=overdue):
            actions.refresh_flags(episode=episode, now=now)
