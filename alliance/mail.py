"""Mails to staff: those that no page waits for, and those that a page must know of."""

import logging
import time
from collections.abc import Callable
from contextvars import copy_context
from threading import Event, Thread, Timer

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connections

from alliance.operations import metrics

BEGINS_AFTER = 1.0  # seconds: by then the answer is out, and nothing of this slows it down
# Seconds that a page waits for the mail server. Each of its answers may take EMAIL_TIMEOUT, and a mail takes ten.
PATIENCE = 5.0
# A server that did not answer is not waited for again so soon: a page may send several mails.
SILENT_FOR = 60.0
logger = logging.getLogger(__name__)


def is_set_up() -> bool:
    """Whether this site sends mails (`EMAIL_URL`)."""
    return bool(settings.EMAIL_BACKEND != "django.core.mail.backends.dummy.EmailBackend")


def sent(subject: str, text: str, to: str) -> bool:
    """Whether a mail is on its way, known before the page says so.

    False also where the server does not answer in time. The mail may then still go out: what such a page says has to
    be right in both cases.
    """
    if not is_set_up():
        return False
    attempt = _Attempt(EmailMessage(subject, text, None, [to]))
    # A thread that hangs must not keep the server from ending.
    Thread(target=copy_context().run, args=(attempt.run,), name="mail", daemon=True).start()
    return attempt.succeeds_within(0.0 if _server.is_silent() else PATIENCE)


class _Server:
    """Whether the mail server was lately waited for in vain, by this process."""

    def __init__(self) -> None:
        self._silent_since = float("-inf")

    def is_silent(self) -> bool:
        return time.monotonic() - self._silent_since < SILENT_FOR

    def says_nothing(self) -> None:
        self._silent_since = time.monotonic()

    def answers(self) -> None:
        self._silent_since = float("-inf")


_server = _Server()


class _Attempt:
    def __init__(self, message: EmailMessage) -> None:
        self._message, self._is_done, self._succeeded = message, Event(), False

    def run(self) -> None:
        try:
            self._succeeded = _send(lambda: self._message)
        finally:
            self._is_done.set()

    def succeeds_within(self, seconds: float) -> bool:
        if not self._is_done.wait(seconds):
            logger.warning("The mail server did not answer within %s seconds; the page went on.", seconds)
            _server.says_nothing()
            return False
        return self._succeeded


def send_later(written: Callable[[], EmailMessage | None]) -> None:
    """Write and send a mail when the answer to this request is out; None: there is none to send after all.

    A page that waited for it would tell by its slowness, and by its failure when the mail server is down, that
    an address belongs to somebody here. Writing it alone took 7 ms of 10.
    """
    Timer(BEGINS_AFTER, copy_context().run, (_send_alone, written)).start()


def _send_alone(written: Callable[[], EmailMessage | None]) -> None:
    """In a thread of its own, which ends: a connection that it took would never come back to the pool."""
    try:
        _send(written)
    finally:
        connections.close_all()


def _send(written: Callable[[], EmailMessage | None]) -> bool:
    """Nobody stands above a thread: what it does not catch is printed with all it holds."""
    try:
        message = written()
        if message is None:
            return True
        message.send()
    except Exception:
        logger.exception("A mail to a member of staff could not be sent.")
        metrics.mail_failed()
        return False
    _server.answers()
    metrics.mail_sent()
    return True
