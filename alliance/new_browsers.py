"""Told to a person: somebody signed in as them on a browser on which they never signed in before.

Which browsers those are is known by a mark in them (`alliance.known_browsers`), so a browser that forgot its cookies
is new again. The first sign-in of all is expected, and not told.
"""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from alliance import audit, mail
from alliance.client_address import get_client_ip
from alliance.log_events import LogEvent
from alliance.mail import send_later
from alliance.models import AuditEvent, User

NEW_FOR = timedelta(days=30)
SHOWN_FOR = timedelta(days=30)
SHOWN_AT_MOST = 10


def tell(request: HttpRequest, person: User) -> None:
    of_person = AuditEvent.objects.filter(actor=person.pk, action=LogEvent.SIGNED_IN.value)
    is_new_here = (
        person.joined_at > timezone.now() - NEW_FOR
    )  # of others the first lines may be in an archive
    if is_new_here and len(of_person.order_by()[:2]) < 2:  # this sign-in is the first
        return
    audit.record(LogEvent.NEW_BROWSER, person, by=person)
    if not mail.is_set_up():
        return
    about = {
        "person": person,
        "at": timezone.now(),
        "address": get_client_ip(request),
        "browser": request.headers.get("User-Agent", "")[:200],
        "site": f"{request.scheme}://{request.get_host()}",
    }
    text = render_to_string("account/email/new_browser.txt", about)
    subject = "A sign-in on a browser that is new"
    message = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [person.email])
    send_later(lambda: message)


def lately(person: User) -> "QuerySet[AuditEvent]":
    """For the page of the account: when and from where."""
    since = timezone.now() - SHOWN_FOR
    rows = AuditEvent.objects.filter(actor=person.pk, action=LogEvent.NEW_BROWSER.value, at__gte=since)
    return rows.order_by("-id")[:SHOWN_AT_MOST]
