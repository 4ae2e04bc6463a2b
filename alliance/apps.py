from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class Alliance(AppConfig):
    name = "alliance"

    def ready(self) -> None:
        from alliance import (
            sign_in_log,  # noqa: F401 - it listens from here on
            triggers,
        )

        pre_migrate.connect(triggers.lift_what_reads_others, sender=self)
        # Sent once for each app, after all migrations of all apps: once is enough.
        post_migrate.connect(triggers.put_back, sender=self)
