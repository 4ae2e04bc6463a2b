"""An invitation: a link on which a member of staff chooses a password. Who may draw one: `actions.invite`."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from alliance.models import User

DAYS = settings.PASSWORD_RESET_TIMEOUT // (24 * 3600)


def mailed(person: User, link: str) -> bool:
    """Whether the link is on its way by mail. Where not, the administrator hands it over personally."""
    if settings.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend":
        return False
    text = render_to_string("clinic/invitation.txt", {"person": person, "link": link, "days": DAYS})
    try:
        return bool(send_mail("Choose your password", text, None, [person.email]))
    except OSError:  # smtplib's errors are OSErrors too
        logging.getLogger(__name__).exception("The invitation could not be mailed.")
        return False
