"""The mails about approvals. They name the people of the clinic and no client."""

from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from alliance import mail
from alliance.approvals import ApprovalRequest
from alliance.mail import send_later
from alliance.models import Role, User


def asked(request: ApprovalRequest, told: Iterable[User]) -> None:
    """To those it concerns, and to the other administrators, of whom one may confirm it."""
    offices = _offices(but=request.asked_by)
    _send(request, "asked", "Something waits for a second person", [*told, *offices])


def decided(request: ApprovalRequest) -> None:
    _send(request, "decided", "What waited for a second person is decided", _all_told(request))


def emergency(request: ApprovalRequest) -> None:
    offices = _offices(but=request.emergency_by)
    subject = "Ratings were opened in an emergency"
    _send(request, "emergency", subject, [*_all_told(request), *offices])


def to_former_address(email: str) -> None:
    """As `alliance.email_addresses.tell_former_address`, also where no request is: it does not name the new one."""
    if mail.is_set_up():
        text = render_to_string("approvals/former_address.txt")
        message = EmailMessage("Your e-mail address was changed", text, None, [email])
        transaction.on_commit(lambda: send_later(lambda: message))


def _offices(but: User | None) -> list[User]:
    return [one for one in User.objects.with_role(Role.ADMINISTRATOR) if one != but]


def _all_told(request: ApprovalRequest) -> list[User]:
    told = list(User.objects.filter(approval_notice_rows__request=request))
    return [*told, *([request.asked_by] if request.asked_by else [])]


def _send(request: ApprovalRequest, what: str, subject: str, people: Iterable[User]) -> None:
    """One mail to all, who do not learn each other's addresses; when this is stored, and no page waits for it."""
    addresses = sorted({one.email for one in people if one.is_active})
    if not addresses or not mail.is_set_up():
        return
    text = render_to_string(
        "approvals/mail.txt",
        {
            "what": what,
            "request": request,
            "outcome": request.get_outcome_display(),
            "site": settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "",
        },
    )
    message = EmailMessage(subject, text, None, [], bcc=addresses)
    transaction.on_commit(lambda: send_later(lambda: message))
