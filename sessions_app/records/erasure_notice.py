"""The mail to those who can be the second person. It names no client."""

from functools import partial

from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from alliance.access import StaffRequest
from alliance.erasures import Erasure
from alliance.mail import send_later
from sessions_app.records.erasure_pages import who_may_confirm


def send(request: StaffRequest, erasure: Erasure) -> None:
    addresses = [person.email for person in who_may_confirm(erasure)]
    link = request.build_absolute_uri(reverse("erasures:erasure", args=[erasure.code]))
    text = render_to_string(
        "erasures/asked.txt",
        {"by": request.user, "link": link, "until": timezone.localtime(erasure.open_until)},
    )
    for address in addresses:
        mail = EmailMessage("An erasure waits for a second person", text, None, [address])
        send_later(partial(_itself, mail))


def _itself(mail: EmailMessage) -> EmailMessage:
    return mail
