"""manage.py rotate_keys: seal everything that is stored anew under the newest key, while the site runs."""

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import date_format

from alliance import audit, key_rotation
from alliance.log_events import LogEvent
from alliance.rotation_permit import RotationPermit

SECONDS_A_LINE = 10
# As long as marks are taken that wait on a device, sealed to the former key (`alliance.sealing`).
DEVICES_WAIT = timedelta(days=7)


class Command(BaseCommand):
    help = (
        "Seals words and second-factor secrets anew under SECRET_KEY; the former key stands in SECRET_KEY_FALLBACKS "
        "meanwhile. It may be stopped at any moment and called again. Exits with 1 where something is left."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        before = key_rotation.count_words() + key_rotation.count_second_factors()
        self.stdout.write(
            f"{before.older:,} values are under a former key, {before.newest:,} under the newest."
        )
        done = self._rotate(before.older)
        after = key_rotation.count_words() + key_rotation.count_second_factors()
        if done:
            audit.record(LogEvent.KEYS_ROTATED, RotationPermit(), by=None, values=done)
        if after.closed:
            self.stdout.write(
                f"{after.closed:,} values are under a key that the site does not have, or were not written by it. "
                "They stay as they are; put their key into SECRET_KEY_FALLBACKS and call this again."
            )
        if after.older:
            raise CommandError(
                f"{after.older:,} values are left, which others were writing. Call this again."
            )
        if after.closed:
            raise CommandError("Not everything is under the newest key.")
        day = date_format(timezone.localdate() + DEVICES_WAIT, "j F Y")
        self.stdout.write(
            f"All {after.newest:,} values are under the newest key. Marks may still wait on a device, sealed to a "
            f"former one, and backups of before today need it too: keep it with them. It may be taken out of "
            f"SECRET_KEY_FALLBACKS from {day} on."
        )

    def _rotate(self, older: int) -> int:
        done, said = key_rotation.rotate_second_factors(), time.monotonic()
        for row in key_rotation.models_with_words():
            for count in key_rotation.rotate_words(row):
                done += count
                if time.monotonic() - said > SECONDS_A_LINE:
                    said = time.monotonic()
                    self.stdout.write(f"{done:,} of {older:,}")
        return done
