"""Django's `migrate`, as the owner of the database, and then the rights of the site's own role."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

from alliance.operations.owner import owner_connection, repeated
from alliance.operations.site_role import differences, grant_to


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        using = options["database"]
        only_looks = options["plan"] or options["check_unapplied"]
        with owner_connection(using):
            repeated(lambda: super(Command, self).handle(*args, **options), self.stderr.write)
            if settings.DATABASE_OWNER and connections[using].vendor == "postgresql" and not only_looks:
                self._grant(settings.DATABASES[using]["USER"], using)

    def _grant(self, role: str, using: str) -> None:
        differ = grant_to(role, using)
        left = differences(role, using)
        if left:
            raise CommandError(
                "The rights of the site's role are not as they must be: " + " ".join(left) + " "
                "See 'Two roles of the database' in docs/deployment.md."
            )
        if differ:
            self.stderr.write(f"The rights of {role} were set on {differ} tables.")
