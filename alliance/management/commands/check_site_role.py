"""Whether the site's own role may do what it needs, and nothing more; with --grant, as the owner, make it so."""

import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from alliance.operations.owner import owner_connection
from alliance.operations.site_role import differences, grant_to


class Command(BaseCommand):
    help = "Say what the site's role in PostgreSQL may do beyond what it needs; --grant puts it right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--grant", action="store_true", help="needs DATABASE_OWNER_URL")

    def handle(self, *args: object, grant: bool = False, **options: object) -> None:
        if connection.vendor != "postgresql":
            print("SQLite has no roles: whoever may write the file may change all of it.")
            return
        role = connection.settings_dict["USER"]
        with owner_connection():
            if grant and settings.DATABASE_OWNER:
                grant_to(role)
            found = differences(role)
        print("\n".join(found) or f"{role} may do what the site needs, and nothing more.")
        if found:
            sys.exit(1)
