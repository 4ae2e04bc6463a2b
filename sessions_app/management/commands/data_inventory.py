"""Prints every field that is stored, whose it is and what becomes of it: docs/data-inventory.md."""

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app.records.inventory import as_markdown


class Command(BaseCommand):
    help = "Print what is stored, as a page."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(as_markdown(), ending="")
