"""python -m tests.bench.backups, inside scripts/with_postgresql.sh: how long a backup and a restore take.

1,000,000 ratings without --copies. The invented lines of the log are not in the order of their time, and the invented
second factors are sealed with no key: verifying finds both, as it should, and ends with the first lines of the log.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import django

from tests.bench.fill import COPIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=COPIES)
    copies = parser.parse_args().copies
    if "THROW_AWAY_DATABASE" not in os.environ:
        sys.exit("This fills a database with invented people: run it inside scripts/with_postgresql.sh.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from alliance.operations import backup, backup_keys, restore, verify
    from alliance.operations.backup_verified import WhichKey
    from tests.bench import fill

    began = time.perf_counter()
    fill.fill(copies)
    call_command("audit_seal", verbosity=0)
    print(f"{fill._held()}; made in {time.perf_counter() - began:.0f} s", flush=True)
    private, public = backup_keys.one_for_the_moment()
    with tempfile.TemporaryDirectory() as folder, connection.cursor() as cursor:
        settings.BACKUP_FOLDER, settings.BACKUP_RECIPIENTS = str(Path(folder, "backups")), [str(public)]
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
        made = backup.make()
        print(
            f"database {size / 1e6:,.0f} MB; backup {made.row.size / 1e6:,.0f} MB in {made.row.seconds:.0f} s",
            flush=True,
        )
        found = verify.verify(made.path, [private], key=WhichKey.CLINIC)
        print(f"verified in {found.seconds:.0f} s: {found.found or 'whole'}", flush=True)
        connection.close()
        began = time.perf_counter()
        done = restore.restore(
            made.path,
            [private],
            even_though_newer=True,
            erasures=None,
            say=lambda said: print(said, flush=True),
        )
        print(f"restored in {time.perf_counter() - began:.0f} s: {done.found or 'whole'}")


if __name__ == "__main__":
    main()
