"""The address a person signs in with, and how it changes (ADR 49)."""

from dataclasses import dataclass
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from alliance import audit, mail
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused

LINK_GOOD_FOR = timedelta(days=3)
_TAKEN = "Somebody on the list has this e-mail address already. Use another one."


@transaction.atomic
def change_email(*, person: User, email: str, by: User) -> User:
    """Sign in with `email` from now on. Links that went to the former address open nothing any more.

    allauth and Django draw a link for a new password from the address, too: with it, every such link is void.
    """
    stands = User.objects.select_for_update().get(pk=person.pk)
    former, stands.email = stands.email, email.lower()
    if stands.email == former:
        raise Refused(f"{stands.email} is the present address already.")
    try:
        stands.full_clean(exclude=["password"])
        with transaction.atomic():
            stands.save(update_fields=["email"])
            EmailAddress.objects.filter(user=stands).delete()
            EmailAddress.objects.create(user=stands, email=stands.email, verified=True, primary=True)
    except (ValidationError, IntegrityError) as error:
        taken = User.objects.filter(email__iexact=stands.email).exclude(pk=stands.pk).exists()
        raise Refused(_TAKEN if taken else "This is not an e-mail address. Look at it again.") from error
    event = LogEvent.OWN_EMAIL_CHANGED if person == by else LogEvent.EMAIL_CHANGED
    audit.record(event, stands, by=by)
    person.email = stands.email
    return person


def tell_former_address(email: str, person: User) -> None:
    """A notice to where the person was reached until now. It does not name the new address to whoever reads it."""
    if mail.is_set_up():
        get_adapter().send_notification_mail("account/email/email_changed", person, {"person": person}, email)


# --- By oneself: a link to the new address --------------------------------------------------------


@dataclass(frozen=True)
class ConfirmationLink:
    """What the link says. It opens nothing by itself: only the person, signed in, can use it.

    Otherwise a slip in the new address would hand the account to a stranger who presses the link.
    """

    person: str
    former: str
    new: str

    def signed(self) -> str:
        return signing.dumps([self.person, self.former, self.new], salt=__name__)


def link_for(person: User, new: str) -> str:
    return ConfirmationLink(str(person.pk), person.email, new.lower()).signed()


def link_of(person: User, signed: str) -> ConfirmationLink | None:
    """The link, where it is this person's and good now; once used it is not, because their address is another."""
    try:
        said = ConfirmationLink(*signing.loads(signed, salt=__name__, max_age=LINK_GOOD_FOR))
    except signing.BadSignature:
        return None
    return said if (said.person, said.former) == (str(person.pk), person.email) else None
