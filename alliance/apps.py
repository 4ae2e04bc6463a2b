from datetime import timedelta

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class Alliance(AppConfig):
    name = "alliance"

    def ready(self) -> None:
        from allauth.usersessions.models import UserSession

        from alliance import (
            private_files,  # noqa: F401 - it listens from here on
            session_keys,
            sign_in_log,  # noqa: F401 - it listens from here on
            triggers,
        )
        from alliance.operations import (
            archive_task,
            clock_tasks,
            expired_cache,
            findings,
            kept_rows,
            nightly_backup,
        )
        from alliance.operations.clock_tasks import command, daily, every, finding_command

        findings.load()
        clock_tasks.register("clearsessions", every(minutes=15), command("clearsessions"))
        clock_tasks.register("expired_cache", every(minutes=15), expired_cache.remove)
        clock_tasks.register("audit_seal", every(minutes=5), command("audit_seal"))
        clock_tasks.register(
            "audit_verify", daily(at=4), finding_command("audit_verify"), longest=timedelta(hours=12)
        )
        clock_tasks.register("audit_archive", daily(at=5), archive_task.move, longest=timedelta(hours=6))
        clock_tasks.register("backup", daily(at=2), nightly_backup.make, longest=timedelta(hours=6))

        session_keys.keep_hashed(UserSession)

        pre_migrate.connect(triggers.lift_what_reads_others, sender=self)
        # Sent once for each app, after all migrations of all apps: once is enough.
        post_migrate.connect(triggers.put_back, sender=self)

        kept_rows.register(
            kept_rows.Kept("alliance_auditevent", "at", "line of the access log", "lines of the access log")
        )
