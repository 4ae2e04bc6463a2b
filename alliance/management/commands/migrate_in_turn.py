"""manage.py migrate_in_turn: bring the database up to date; of several that start at once, one after the other.

Two that migrate a new database at the same time make the same tables, and one of them ends with an error.
"""

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from alliance.operations.leader import lock_named

# Seconds. A migration of a large clinic takes minutes; the database starts within one.
LONGEST_WAIT_FOR_THE_DATABASE = 60
BETWEEN_TWO_TRIES = 0.5


class Command(BaseCommand):
    help = "Brings the database up to date, as `migrate` does; waits where another process is doing so."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self._wait_for_the_database()
        lock = lock_named("migrate")
        waits = False
        # Asked again and again, never waited for: a statement that waits has a snapshot, and CREATE INDEX CONCURRENTLY
        # of the one that migrates would wait for its end.
        while not lock.take():
            if not waits:
                self._say(
                    "Another start of the site is bringing the database up to date. This one waits for it."
                )
            waits = True
            time.sleep(BETWEEN_TWO_TRIES)
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            lock.release()
        if waits:
            self._say("The database is up to date.")

    def _wait_for_the_database(self) -> None:
        until, waits = time.monotonic() + LONGEST_WAIT_FOR_THE_DATABASE, False
        while True:
            try:
                connection.ensure_connection()
                return
            except OperationalError as error:
                if time.monotonic() > until:
                    raise CommandError(
                        f"The database did not answer for {LONGEST_WAIT_FOR_THE_DATABASE} seconds. "
                        "Look whether it runs, and whether DATABASE_URL names it rightly."
                    ) from error
            if not waits:
                self._say("The database does not answer yet. The start waits for it.")
            waits = True
            time.sleep(BETWEEN_TWO_TRIES)

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
