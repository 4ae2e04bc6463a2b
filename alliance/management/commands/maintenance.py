"""Close the site for a while, and open it again."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from alliance.operations import maintenance


class Command(BaseCommand):
    help = (
        "Close the site: staff read a sentence, clients' forms keep their marks on the device and deliver them later. "
        "Without on or off: say how it stands."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("switch", nargs="?", choices=["on", "off"])
        parser.add_argument(
            "sentence", nargs="?", default="", help="what staff read; say when the site is back"
        )

    def handle(self, *args: object, switch: str | None, sentence: str, **options: object) -> None:
        if len(sentence) > maintenance.SENTENCE_LENGTH:
            raise CommandError(f"The sentence is too long: at most {maintenance.SENTENCE_LENGTH} characters.")
        if switch == "on":
            maintenance.close(sentence)
        elif switch == "off":
            maintenance.open_again()
        state = maintenance.closed()
        if state:
            since = timezone.localtime(state.since)
            print(f"Closed since {since:%Y-%m-%d %H:%M}. Staff read: {state.sentence}")
        else:
            print("Open.")
