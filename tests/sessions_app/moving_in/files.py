"""Files as other systems write them, and the way of one through the actions."""

from collections.abc import Iterable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from alliance.models import User
from sessions_app.moving_in import import_actions
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportRun
from sessions_app.moving_in.walk import Options

CLIENTS = "Number;Label;Language of the form;Age;Therapist;Opened on"
SESSIONS = "Client;Date;Session id;Relationship;Goals and topics;Approach;Overall;Total"

OLGA = "olga@clinic.example"


def text(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def clients(*rows: str) -> str:
    return text(CLIENTS, *rows)


def sessions(*rows: str) -> str:
    return text(SESSIONS, *rows)


def loaded(kind: Kind, content: str | bytes, by: User, **options: Any) -> ImportRun:
    raw = content if isinstance(content, bytes) else content.encode()
    run = import_actions.load_file(kind=kind, file=BytesIO(raw), name=f"{kind}.csv", by=by)
    if options:
        run = import_actions.choose_columns(run=run, columns=run.columns, options=Options(**options))
    return run


def checked(kind: Kind, content: str | bytes, by: User, **options: Any) -> ImportRun:
    run = loaded(kind, content, by, **options)
    for _tally in import_actions.check(run=run, by=by):
        pass
    run.refresh_from_db()
    return run


def imported(kind: Kind, content: str | bytes, by: User, **options: Any) -> ImportRun:
    """The run, imported; a test whose file has something wrong in it fails here."""
    run = checked(kind, content, by, **options)
    assert run.remarks == []
    return finished(run, by)


def finished(run: ImportRun, by: User) -> ImportRun:
    for _step in import_actions.import_file(run=run, by=by):
        pass
    run.refresh_from_db()
    return run


def sentences(run: ImportRun) -> list[str]:
    """As the page shows them: row, column, what is wrong."""
    return [f"{row} {column}: {sentence}" for row, column, sentence in run.remarks]


def a_client(
    by: User, number: str = "4711", therapist: str = "olga@clinic.example", since: str = "2024-01-01"
) -> None:
    imported(Kind.CLIENTS, clients(f"{number};C-{number};en;adult;{therapist};{since}"), by)


def weeks(first: str, totals: Iterable[int | None], number: str = "4711") -> list[str]:
    """A row for each week, with the total alone, in tenths; None is a session without a rating."""
    start = date.fromisoformat(first)
    return [
        f"{number};{start + timedelta(weeks=place)};;;;;;{'' if total is None else f'{total / 10:.1f}'}"
        for place, total in enumerate(totals)
    ]


def a_hundred(**mistakes: str) -> str:
    rows = [f"{number};C-{number};de;adult;{OLGA};2025-01-13" for number in range(1, 101)]
    for place, row in mistakes.items():
        rows[int(place.removeprefix("at_"))] = row
    return clients(*rows)
