"""The first administrator, or a way back in for one who is locked out."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from alliance.approvals import EMERGENCY_LASTS, ApprovalRequest
from alliance.models import Role, User
from alliance.password_links import INVITATION_GOOD_FOR
from alliance.refused import Refused
from clients import approved_staff, sight, staff_actions
from clients.invitations import DAYS

HOURS = int(EMERGENCY_LASTS.total_seconds() // 3600)


class Command(BaseCommand):
    help = (
        "Make somebody an administrator and print a link on which they choose their password. Of somebody on the "
        "list already, password and second factors are taken away first: the way back in for one who lost them. "
        "Once there are ratings, this waits for a second person or 48 hours: then run the same command again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name", nargs="?", default="", help="may be left out for somebody on the list")
        parser.add_argument("--site", default=_site(), help="address of the site (default: %(default)s)")
        parser.add_argument(
            "--break-glass",
            metavar="REASON",
            default="",
            help="do it now; everybody who sees ratings is told, with this reason, and can shut the person out",
        )

    @transaction.atomic
    def handle(self, *, email: str, name: str, site: str, break_glass: str, **options: Any) -> None:
        found = User.objects.filter(email__iexact=email).first()
        if not found and not name:
            raise CommandError(
                f"Nobody on the list has the address {email}. To add them, write their name too."
            )
        reason = " ".join(break_glass.split())[:200]
        try:
            done = _let_in(found, email, name, reason)
            if isinstance(done, ApprovalRequest):
                self.stdout.write(
                    _WAITS.format(person=done.person, until=timezone.localtime(done.waits_until))
                )
                return
            good_for = EMERGENCY_LASTS if reason else INVITATION_GOOD_FOR
            path = staff_actions.invite(person=done, by=None, good_for=good_for)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if found:
            self.stdout.write(_LET_BACK_IN.format(person=done))
        good = f"{HOURS} hours" if reason else f"{DAYS} days"
        self.stdout.write(f"{done} is an administrator. Good for {good}, and for one use:")
        self.stdout.write(site.rstrip("/") + path)


def _let_in(found: User | None, email: str, name: str, reason: str) -> User | ApprovalRequest:
    if found is None and not sight.clinic_has_marks():
        return staff_actions.add_person(email=email, name=name, roles={Role.ADMINISTRATOR}, by=None)
    person = found or staff_actions.add_person(email=email, name=name, roles=set(), by=None)
    return approved_staff.let_back_in(person=person, name=name, emergency=reason)


_LET_BACK_IN = (
    "{person} was on the list. Password and second factors are taken away, {person} is signed out everywhere."
)
_WAITS = (
    "There are ratings here, so nobody becomes an administrator by one hand: {person} waits for a second person.\n"
    "Another administrator confirms it under Clinic, Approvals, or 48 hours pass, until {until:%-d %B %Y, %H:%M}; all "
    "who see ratings are told. Then run this command again.\n"
    'Where that cannot wait: --break-glass "why". Everybody who sees ratings reads the reason.'
)


def _site() -> str:
    host = settings.ALLOWED_HOSTS[0]
    return f"https://{host}" if settings.HTTPS else f"http://{host}:8000"
