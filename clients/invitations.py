"""An invitation: a link on which a member of staff chooses a password. Who may draw one: `actions.invite`."""

from django.conf import settings
from django.template.loader import render_to_string

from alliance import mail
from alliance.models import User

DAYS = settings.PASSWORD_RESET_TIMEOUT // (24 * 3600)


def mailed(person: User, link: str) -> bool:
    """Whether the link is on its way by mail. Where not, the administrator hands it over personally."""
    text = render_to_string("clinic/invitation.txt", {"person": person, "link": link, "days": DAYS})
    return mail.sent("Choose your password", text, person.email)
