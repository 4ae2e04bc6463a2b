"""What is written before a file leaves: the line in the access log."""

from django.db import transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from clients.models import Client
from sessions_app.records.sheets import Part, Scope


@transaction.atomic
def note_export(*, scope: Scope, what: str) -> None:
    """`what`: the format, or the name of the sheet."""
    if scope.part == Part.CLINIC:
        audit.record(LogEvent.OFFICE_RECORDS_EXPORTED, scope.user, by=scope.user, what=what)
    else:
        audit.exported(scope.clients(), by=scope.user, part=str(scope.part), what=what)


@transaction.atomic
def note_record(*, client: Client, what: str, by: User) -> None:
    audit.record(LogEvent.RECORD_MADE, client, by=by, client=client.code, what=what)


@transaction.atomic
def note_list_of_erasures(*, by: User) -> None:
    audit.record(LogEvent.ERASURES_EXPORTED, by, by=by)
