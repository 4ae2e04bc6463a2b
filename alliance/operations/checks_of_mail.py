"""Whether the mail server answers and takes the password; no mail is sent."""

from collections.abc import Iterator
from smtplib import SMTPAuthenticationError
from typing import Any

from django.core.mail import get_connection

from alliance import mail
from alliance.operations.findings import ASKED, Finding, check, failed, ok

SECONDS = 5


@check("mail", at=ASKED, asks_database=False)
def mail_server() -> Iterator[Finding]:
    if not mail.is_set_up():
        return
    server: Any = get_connection(timeout=SECONDS)
    try:
        server.open()
        server.close()
    except SMTPAuthenticationError:
        yield failed("mail", "The mail server refuses the user or the password.", "Look at EMAIL_URL.")
    except OSError as error:  # smtplib's errors are OSErrors too
        yield failed(
            "mail",
            f"The mail server does not answer: {type(error).__name__}.",
            "Look at EMAIL_URL, and whether a firewall lets this machine reach that port.",
        )
    else:
        yield ok("mail", "The mail server answers and takes the password.")
