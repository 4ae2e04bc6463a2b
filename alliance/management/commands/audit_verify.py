"""manage.py audit_verify: whether the access log is as it was sealed; the clock runs it once a day.

It seals the new lines first, and at the end notes in the log that it looked, and whether something was found. The
head goes to whoever is to keep it elsewhere (`AUDIT_HEAD_TO`).
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliance import audit, log_archiving, log_head_mail, log_seals
from alliance.log_events import LogEvent
from alliance.log_verification import Verification
from alliance.models import AuditSeal

# Whoever rewrites a year of lines is told of in some; all of them would fill the screen.
SENTENCES = 100


class Command(BaseCommand):
    help = (
        "Compares the access log with its seals and says what was changed, removed or slipped in. "
        "Exits with 1 where anything was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head", metavar="HASH", help="a head that was printed earlier: it must be in the chain"
        )
        parser.add_argument("--after", metavar="HASH", help="look only at what follows this head")
        parser.add_argument(
            "--table-only", action="store_true", help="leave out what was moved to files, and its seals"
        )
        parser.add_argument("--read-only", action="store_true", help="seal and note nothing, as on a copy")

    def handle(
        self,
        *args: Any,
        head: str | None,
        after: str | None,
        table_only: bool,
        read_only: bool,
        **options: Any,
    ) -> None:
        if not read_only:
            self._seal()
        walk = Verification(self._trusted(after, table_only=table_only))
        found = 0
        for sentence in chain(self._of_head(head), walk.findings()):
            found += 1
            if found <= SENTENCES:
                self.stdout.write(sentence)
        if found > SENTENCES:
            self.stdout.write(f"And {found - SENTENCES:,} more.")
        self.stdout.write(f"{walk.lines:,} lines under {walk.seals:,} seals were compared.")
        self.stdout.write(log_seals.head_in_words())
        newest, not_sent = log_seals.newest(), list[str]()
        if newest and not read_only:
            event = LogEvent.LOG_FOUND_CHANGED if found else LogEvent.LOG_VERIFIED
            audit.record(event, newest, by=None, seal=newest.number)
            not_sent = log_head_mail.send(newest, found=found)
        if found:
            raise CommandError("The access log is not as it was sealed.")
        if not_sent:
            raise CommandError(
                f"The head could not be sent to {', '.join(not_sent)}: nobody keeps the one of today elsewhere. "
                "Look at EMAIL_URL and AUDIT_HEAD_TO. The access log is as it was sealed."
            )
        self.stdout.write("The access log is as it was sealed.")

    def _seal(self) -> None:
        try:
            log_seals.seal()
        except log_seals.StillWriting:
            self.stdout.write(log_seals.NOT_SEALED)

    def _trusted(self, after: str | None, *, table_only: bool) -> AuditSeal | None:
        if after is None:
            archive = log_archiving.newest() if table_only else None
            return AuditSeal.objects.filter(number=archive.last_seal).first() if archive else None
        seal = _with_head(after)
        if seal is None:
            raise CommandError("No seal has the head that --after names.")
        return seal

    def _of_head(self, head: str | None) -> Iterator[str]:
        if head is None:
            return
        seal = _with_head(head)
        if seal is None:
            yield (
                "No seal has the head that was given: seals were removed or made anew since it was printed. "
                "A backup from before, or another database, looks the same."
            )
        else:
            self.stdout.write(f"The head that was given is that of seal {seal.number:,}.")


def _with_head(head: str) -> AuditSeal | None:
    return AuditSeal.objects.filter(hash=head.strip().lower()).first()
