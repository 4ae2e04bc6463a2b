"""manage.py remove_import_files: remove the content of files that nobody imported within a day; the clock runs it."""

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app.moving_in import import_actions


class Command(BaseCommand):
    help = "Removes the content of files that were loaded to be imported more than a day ago."

    def handle(self, *args: Any, **options: Any) -> None:
        if removed := import_actions.remove_past():
            self.stdout.write(f"{removed} files that were not imported are removed.")
