"""The confirmed erasures as lines, to be kept apart from the backups; see docs/deployment.md."""

from typing import Any

from django.core.management.base import BaseCommand

from alliance.erasures import Erasure
from sessions_app.records import erasure


class Command(BaseCommand):
    help = "Print every confirmed erasure, one on a line: codes alone. manage.py replay_erasures reads it."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in erasure.lines(Erasure.objects.done().order_by("pk")):
            self.stdout.write(line, ending="")
