"""What the clock does each day where AUDIT_ARCHIVE_KEEP is set: old months of the access log go to files.

It is off unless chosen: the lines leave the database and its backups, and the files have to be copied by somebody.
Where the site has a role of its own, the clock needs DATABASE_OWNER_URL for it; else the command says so, and *Health*.
"""

from datetime import datetime
from io import StringIO

from django.conf import settings
from django.core.management import call_command

NOT_CHOSEN = "All months of the access log stay in the database: AUDIT_ARCHIVE_KEEP is not set."


def move(_since: datetime | None) -> str:
    """What was moved, in words."""
    if not settings.AUDIT_ARCHIVE_KEEP:
        return NOT_CHOSEN
    call_command("audit_archive", "--keep", str(settings.AUDIT_ARCHIVE_KEEP), stdout=(said := StringIO()))
    return said.getvalue()
