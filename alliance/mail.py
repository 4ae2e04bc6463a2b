"""Mails to staff: those that no page waits for, and those that a page must know of."""

import logging
from collections.abc import Callable
from contextvars import copy_context
from threading import Timer

from django.conf import settings
from django.core.mail import EmailMessage, send_mail
from django.db import connections

BEGINS_AFTER = 1.0  # seconds: by then the answer is out, and nothing of this slows it down


def is_set_up() -> bool:
    """Whether this site sends mails (`EMAIL_URL`)."""
    return bool(settings.EMAIL_BACKEND != "django.core.mail.backends.dummy.EmailBackend")


def sent(subject: str, text: str, to: str) -> bool:
    """Whether a mail is on its way, known before the page says so."""
    if not is_set_up():
        return False
    try:
        return bool(send_mail(subject, text, None, [to]))
    except OSError:  # smtplib's errors are OSErrors too
        logging.getLogger(__name__).exception("A mail to a member of staff could not be sent.")
        return False


def send_later(written: Callable[[], EmailMessage]) -> None:
    """Write and send a mail when the answer to this request is out.

    A page that waited for it would tell by its slowness, and by its failure when the mail server is down, that
    an address belongs to somebody here. Writing it alone took 7 ms of 10.
    """
    Timer(BEGINS_AFTER, copy_context().run, (_send_alone, written)).start()


def _send_alone(written: Callable[[], EmailMessage]) -> None:
    """In a thread of its own, which ends: a connection that it took would never come back to the pool."""
    try:
        _send(written)
    finally:
        connections.close_all()


def _send(written: Callable[[], EmailMessage]) -> None:
    try:
        written().send()
    except OSError:  # smtplib's errors are OSErrors too
        logging.getLogger(__name__).exception("A mail to a member of staff could not be sent.")
