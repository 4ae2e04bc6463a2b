"""The head of the access log, sent each day to somebody who keeps it elsewhere (`AUDIT_HEAD_TO`).

Whoever makes all seals anew, or takes the newest away, is found out by an earlier head alone, and only where it lies
out of their reach: with a second person, who can write nothing here (docs/adr/0050, docs/adr/0069).
"""

from django.conf import settings
from django.utils import timezone

from alliance import audit, log_seals, mail
from alliance.log_events import LogEvent
from alliance.models import AuditSeal

_KEEP = """Keep this mail. If anybody ever asks whether the access log is still what it was today,
the person who runs the server types this, and it must say that the head is in the chain:

    manage.py audit_verify --head {head}

This mail comes every day. If none comes, ask why: a log that is no longer compared is no longer proof.
"""
_IS_WHOLE = "The access log is as it was sealed."
_WAS_CHANGED = "The access log is NOT as it was sealed: lines or seals were changed, removed or slipped in."
_ASK = "Ask the person who runs the server what manage.py audit_verify says, and keep the mails of the days before."


def send(newest: AuditSeal, *, found: int) -> list[str]:
    """The addresses it could not be sent to. Either way a line of the log says so."""
    if not settings.AUDIT_HEAD_TO:
        return []
    day = f"{timezone.localdate():%-d %B %Y}"
    subject = f"Access log of {day}: changed" if found else f"Head of the access log, {day}"
    said = [f"{_WAS_CHANGED}\n{_ASK}" if found else _IS_WHOLE, log_seals.head_in_words()]
    text = "\n\n".join([*said, _KEEP.format(head=newest.hash)])
    failed = [address for address in settings.AUDIT_HEAD_TO if not mail.sent(subject, text, address)]
    event = LogEvent.LOG_HEAD_NOT_SENT if failed else LogEvent.LOG_HEAD_SENT
    audit.record(event, newest, by=None, seal=newest.number)
    return failed
