"""manage.py raise_missing: raise rule G where a rating has become overdue, as the clock does."""

from typing import Any

from django.core.management.base import BaseCommand

from alliance.operations import clock_tasks
from alliance.operations.clock import run_task


class Command(BaseCommand):
    help = "Raises the flag for missing ratings where one has become overdue since this was last done."

    def handle(self, *args: Any, **options: Any) -> None:
        run_task(clock_tasks.named("raise_missing"), reraise=True)
