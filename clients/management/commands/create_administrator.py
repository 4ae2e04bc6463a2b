"""The first administrator, or a way back in for one who is locked out."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from alliance.models import Role, User
from alliance.refused import Refused
from clients import staff_actions
from clients.invitations import DAYS


class Command(BaseCommand):
    help = (
        "Make somebody an administrator and print a link on which they choose their password. Of somebody on the "
        "list already, password and second factors are taken away first: the way back in for one who lost them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name", nargs="?", default="", help="may be left out for somebody on the list")
        parser.add_argument("--site", default=_site(), help="address of the site (default: %(default)s)")

    @transaction.atomic
    def handle(self, *, email: str, name: str, site: str, **options: Any) -> None:
        found = User.objects.filter(email__iexact=email).first()
        if not found and not name:
            raise CommandError(
                f"Nobody on the list has the address {email}. To add them, write their name too."
            )
        try:
            if found:
                person = staff_actions.let_back_in(person=found, name=name)
            else:
                person = staff_actions.add_person(email=email, name=name, roles={Role.ADMINISTRATOR}, by=None)
            path = staff_actions.invite(person=person, by=None)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if found:
            self.stdout.write(_LET_BACK_IN.format(person=person))
        self.stdout.write(f"{person} is an administrator. Good for {DAYS} days, and for one use:")
        self.stdout.write(site.rstrip("/") + path)


_LET_BACK_IN = (
    "{person} was on the list. Password and second factors are taken away, {person} is signed out everywhere."
)


def _site() -> str:
    host = settings.ALLOWED_HOSTS[0]
    return f"https://{host}" if settings.HTTPS else f"http://{host}:8000"
