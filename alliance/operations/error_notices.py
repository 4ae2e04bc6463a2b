"""Notices of errors by mail, to ERROR_NOTICES_TO: what the log has of them, which is nothing personal.

One an hour for each kind of error, over all workers: a fault that meets everybody sends one mail and not thousands.
"""

import hashlib
import logging
import time
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage

from alliance.operations.log_lines import Fields, fields_of, in_words

QUIET_FOR = 3600  # seconds
MOST_KINDS = 500
# Of what fails while a notice is on its way there is no notice.
OF_MAILS = "alliance.mail"


def kind_of(fields: Fields) -> str:
    """The same for errors that come from the same place of the program."""
    error = fields.get("error", {})
    place = error.get("stack") or [""]
    said = (fields["logger"], "" if error else fields["message"], error.get("type", ""), place[-1])
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


class ByMail(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._told: dict[str, float] = {}
        self._guard = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == OF_MAILS:
            return
        try:
            fields = fields_of(record)
            if self._is_new_here(kind_of(fields)):
                from alliance import mail  # the log is set up before the apps are

                mail.send_later(lambda: _notice(fields))
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging calls it so
        """Never Python's own, which prints the record with all its values."""

    def _is_new_here(self, kind: str) -> bool:
        """In this process: what happens a thousand times begins no thousand threads."""
        now = time.monotonic()
        with self._guard:
            told = {one: at for one, at in self._told.items() if now - at < QUIET_FOR}
            is_new = kind not in told and len(told) < MOST_KINDS
            self._told = {**told, kind: now} if is_new else told
        return is_new


def _notice(fields: Fields) -> EmailMessage | None:
    """The mail; None where another worker has sent one. Written beside the answer: the error may be the database's."""
    try:
        if not cache.add(f"error-notice:{kind_of(fields)}", True, QUIET_FOR):
            return None
    except Exception:
        logging.getLogger(__name__).warning("Whether others sent this notice cannot be told.", exc_info=True)
    return EmailMessage(_subject(fields), _text(fields), None, settings.ERROR_NOTICES_TO)


def _subject(fields: Fields) -> str:
    what = fields.get("error", {}).get("type") or fields["message"] or fields["logger"]
    return f"Session alliance: {what}"[:150].replace("\n", " ").replace("\r", " ")


def _text(fields: Fields) -> str:
    facts = [f"{name}: {value}" for name, value in fields.items() if name != "error"]
    lines = [
        "An error happened on this site. However often it happens, there is one mail an hour of this kind.",
        "",
        *facts,
        "",
        *(in_words(fields["error"]) if "error" in fields else []),
        "",
        "This mail holds nothing that somebody entered. The log of the site has more under the same number.",
    ]
    return "\n".join(lines) + "\n"
