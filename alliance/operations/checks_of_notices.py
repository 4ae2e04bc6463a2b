"""Whether notices of errors can reach anybody, and whether the figures of the site can be read."""

from collections.abc import Iterator

from django.conf import settings

from alliance import mail
from alliance.operations.findings import PAGE, Finding, check, ok, warning


@check("error_notices", at=PAGE, asks_database=False)
def error_notices() -> Iterator[Finding]:
    if settings.ERROR_NOTICES_TO and not mail.is_set_up():
        yield warning(
            "error_notices",
            "ERROR_NOTICES_TO names an address, and this site sends no mail.",
            "Set EMAIL_URL and MAIL_FROM, or take ERROR_NOTICES_TO out.",
        )
    elif settings.ERROR_NOTICES_TO or settings.SENTRY_DSN:
        yield ok(
            "error_notices", "Errors are told to whoever looks after the site, without anything personal."
        )
    else:
        yield ok(
            "error_notices",
            "Errors stand in the log alone. ERROR_NOTICES_TO sends a mail of them, SENTRY_DSN tells a service.",
        )
