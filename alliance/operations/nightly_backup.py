"""What the clock does every night: a backup, restored into a copy to see that it can be; then old ones go.

A backup that fails is tried again, as every task of the clock. One that was made and is not whole is not: what is wrong
with the database would be in the next one too. So it is told, and a person looks.
"""

from datetime import datetime

from django.conf import settings

from alliance.operations.clock_tasks import Found

NONE_IS_MADE = "No backup is made: BACKUP_RECIPIENTS is missing (docs/backups.md)."


def make(_since: datetime | None) -> str:
    """What was done, in words. Health tells where nobody has set up backups; the clock need not fail over it."""
    # Rows: they can be imported only when all apps are there, and the clock's tasks are registered before.
    from alliance.operations import backup, verify
    from alliance.operations.backup_verified import WhichKey
    from alliance.operations.retention import Keep

    if not settings.BACKUP_RECIPIENTS:
        return NONE_IS_MADE
    made = backup.make()
    row = verify.verify(made.path, [made.identity], key=WhichKey.MOMENT)
    gone = backup.delete_past(Keep(*settings.BACKUP_KEEP))
    if row.found:
        raise Found(
            f"{made.path.name} was made, and restored into a copy it is not whole: {' '.join(row.found)}"
        )
    past = f" {len(gone)} earlier ones were deleted." if gone else ""
    return f"{made.path.name} was made, restored into a copy, and is whole.{past}"
