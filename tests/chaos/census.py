"""What became of everything that was handed in: from the database alone, beside what each device was told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from tests.chaos.devices import NOTHING, STORED, Told
from tests.chaos.tickets import Ticket


@dataclass
class Counts:
    """
    lost: told that it is stored, and it is not there, or not as it was handed in
    doubled: there more than once
    half: there without all that is written with it: its line in the access log, its episode, what follows from it
    untrue: told that it is stored or that nothing was, and it is otherwise
    waiting: nobody told it anything that it could go by, long after all was put right
    """

    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    half: int = 0
    untrue: int = 0
    waiting: int = 0

    def faults(self) -> dict[str, int]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "acknowledged"}


@dataclass
class Row:
    """What the database holds of one ticket."""

    found: int = 0
    as_sent: bool = True
    whole: bool = True


def judged(handed_in: Iterable[tuple[Ticket, Told]], rows: dict[str, Row]) -> Counts:
    counts = Counts()
    for ticket, told in handed_in:
        row = rows.get(ticket.name, Row())
        is_told = told.said == STORED
        counts.acknowledged += is_told
        counts.lost += is_told and not (row.found and row.as_sent)
        counts.doubled += max(0, row.found - 1)
        counts.half += bool(row.found) and not row.whole
        counts.untrue += (is_told and not row.found) or (told.said == NOTHING and bool(row.found))
        counts.waiting += not told.said
    return counts


def taken(tickets: Sequence[Ticket]) -> dict[str, Row]:
    """What stands in the database that is configured. Django has to be set up."""
    rows = {ticket.name: Row() for ticket in tickets}
    by_grant = {ticket.grant: ticket for ticket in tickets if ticket.grant}
    _ratings(by_grant, rows)
    _clients([ticket.label for ticket in tickets if ticket.label], rows)
    return rows


def _ratings(by_grant: dict[str, Ticket], rows: dict[str, Row]) -> None:
    from alliance.log_events import LogEvent
    from sessions_app.courses.models import Rating, SetAsideRating
    from sessions_app.flags import checks

    written = _lines(LogEvent.RATED)
    episodes: dict[int, str] = {}
    ratings = Rating.objects.select_related("grant", "session")
    for rating in ratings:
        grant = str(rating.grant.code)
        if grant not in by_grant:
            continue
        row = rows[grant]
        row.found += 1
        row.as_sent &= rating.answers == by_grant[grant].marks
        row.whole &= written.count(rating.code) == 1
        episodes[rating.session.episode_id] = grant
    for aside in SetAsideRating.objects.select_related("grant"):
        if (grant := str(aside.grant.code)) in by_grant:
            rows[grant].found += 1
            rows[grant].as_sent &= aside.answers == by_grant[grant].marks
    for episode, _what in checks.differing(list(episodes)):
        rows[episodes[episode]].whole = False


def _clients(labels: list[str], rows: dict[str, Row]) -> None:
    from alliance.log_events import LogEvent
    from clients.models import Client

    written = _lines(LogEvent.CLIENT_REGISTERED)
    for client in Client.objects.filter(label__in=labels).prefetch_related("episodes"):
        row = rows[client.label]
        row.found += 1
        row.whole &= len(client.episodes.all()) == 1 and written.count(client.code) == 1


def _lines(event: Any) -> list[Any]:
    from alliance.models import AuditEvent

    return list(AuditEvent.objects.filter(action=event).values_list("entity_code", flat=True))
