"""The mail to those who can be the second person. It names no client."""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from alliance import mail
from alliance.access import StaffRequest
from alliance.erasures import Erasure
from alliance.models import User
from sessions_app.records.erasure_pages import who_may_confirm


def send(request: StaffRequest, erasure: Erasure) -> list[User]:
    """Whom a mail is on its way to."""
    link = request.build_absolute_uri(reverse("erasures:erasure", args=[erasure.code]))
    until = timezone.localtime(erasure.open_until)
    text = render_to_string("erasures/asked.txt", {"by": request.user, "link": link, "until": until})
    subject = "An erasure waits for a second person"
    return [person for person in who_may_confirm(erasure) if mail.sent(subject, text, person.email)]
