"""manage.py audit_seal: seal the new lines of the access log; the clock runs it every few minutes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from alliance import log_seals


class Command(BaseCommand):
    help = "Seals the lines of the access log that are new, so that audit_verify notices if one is changed or removed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head", action="store_true", help="print the head of the chain, to be kept elsewhere"
        )

    def handle(self, *args: Any, head: bool, **options: Any) -> None:
        try:
            if sealed := log_seals.seal():
                self.stdout.write(f"Lines of the access log that were sealed now: {sealed:,}")
        except log_seals.StillWriting:
            self.stdout.write(log_seals.NOT_SEALED)
        if head:
            self.stdout.write(log_seals.head_in_words())
