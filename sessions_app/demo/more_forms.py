"""What a clinic can give beside the session rating, at two of the invented therapists; the others have none of it.

The second one's clients mark how life is going, and an inventory now and then. The third one guesses first, treats a
child whose mother rates by link, and leads a group with the second one.
"""

from datetime import datetime

from alliance.models import AuditEvent
from sessions_app.demo import companion, guesses, inventory, newcomers
from sessions_app.demo.staff import Team


def write(team: Team, now: datetime) -> list[AuditEvent]:
    """The lines that it leaves in the log."""
    wording = inventory.load(team.administrator, now - companion.AGO - inventory.BEFORE)
    return [
        *inventory.log_lines(wording),
        *companion.write(team, now, wording),
        *newcomers.write(team, now),
        *guesses.write(team, now),
    ]
