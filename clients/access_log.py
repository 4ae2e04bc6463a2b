"""The access log in plain language: who did what, to whom, when, from where.

Which sentence tells of which event stands in `alliance.log_events`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from alliance import csv_file
from alliance.kept_pieces import drawn
from alliance.log_events import ALIKE, IN_SUPERVISION, READS_ALIKE, STORED, UNTOLD, LogEvent
from alliance.measurement import instruments
from alliance.models import AuditEvent, User
from clients import approval_kinds
from clients.models import Client, Episode

# Of no clinic but the demo's.
NOT_ASKED_FOR = ALIKE | UNTOLD | {LogEvent.DEMO_SEEDED}
CLOSINGS = {"thanks": "only thanks at the end", "marks": "the client's own marks at the end"}
FACTORS = {"totp": "an app with one-time codes", "webauthn": "a passkey", "recovery_codes": "recovery codes"}
# Parts of the site (`alliance.refused_pages`), as an administrator calls them.
PAGES = {
    "dashboard": "a page of therapists",
    "together": "the page for therapist and client",
    "caseload": "a page of supervisors",
    "records": "the whole record",
    "erasures": "a page about erasure",
    "clients": "a page about clients and episodes",
    "clinic": "a page of the clinic",
    "approvals": "what waits for a second person",
    "instruments": "the page of forms and licences",
    "settings": "the clinic's settings",
    "health": "the page about the health of the site",
    "exports": "the page of exports",
    "import": "the page of imports",
    "tablets": "the page of tablets",
    "rules": "a page about flag rules",
    "marks": "a page about marks",
    "supervision": "a page of supervision",
    "groups": "a page about a therapy group",
    "plan": "the plan of forms",
    "questionnaires": "a page about questionnaires",
}
REFUSALS = {
    "not theirs": "asked for {page}{of} and was refused: not theirs, or not there",
    "for others": "asked for {page}{of} and was refused: for other roles",
    "too often": "asked for {page} too often and was made to wait",
}
NOT_LISTED = "no longer listed"
CHUNK = 500


class Line(NamedTuple):
    """One line in words. `labels`: of the clients it is about, as far as the reader asked for them.

    `names_apart`: the sentence says only how many they are.
    """

    at: datetime
    who: str
    roles: str
    sentence: str
    labels: tuple[str, ...]
    address: str
    names_apart: bool


class Entry(NamedTuple):
    """Lines that follow each other and say the same. `line` is the newest of them, `since` the time of the oldest.

    by_role: the page shows the role of who did it in place of the address.
    """

    line: Line
    times: int
    since: datetime
    by_role: bool = False


@dataclass(frozen=True)
class Day:
    date: date
    entries: list[Entry]

    @property
    def rows(self) -> list[SafeString]:
        """The entries as rows of the table."""
        return drawn("components/_log_entry.html", self.entries)


def told() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.exclude(action__in=UNTOLD)


def asked_for() -> frozenset[LogEvent]:
    """The events of which the log can be asked for one kind alone."""
    return frozenset(LogEvent) - NOT_ASKED_FOR


def client_of_code(code: UUID) -> UUID | None:
    """The client whose own code or episode's code this is; in one query, whatever it finds."""
    episodes = Episode.objects.filter(code=code).order_by().values_list("client__code", flat=True)
    clients = Client.objects.filter(code=code).order_by().values_list("code", flat=True)
    return next(iter(episodes.union(clients)), None)


def lines(events: Iterable[AuditEvent], about: frozenset[UUID] = frozenset()) -> list[Line]:
    """The events in words, in two queries however many they are.

    `about`: the clients that were searched for, if any. A line for a list then names no others.
    """
    events = list(events)
    people = _people_in(events)
    searched = {code.hex for code in about}
    codes = {event.pk: _clients_of(event, searched) for event in events}
    others = {event.pk: UUID(event.detail["other"]).hex for event in events if "other" in event.detail}
    named = set(others.values()).union(*codes.values())
    labels = {
        code.hex: label for code, label in Client.objects.filter(code__in=named).values_list("code", "label")
    }
    return [
        _line(
            event,
            people,
            sorted({labels.get(code, NOT_LISTED) for code in codes[event.pk]}),
            labels.get(others.get(event.pk, ""), NOT_LISTED),
            is_searched=bool(about),
        )
        for event in events
    ]


def lines_of_one(
    events: Iterable[AuditEvent], client: Client, therapist: UUID, *, reads_supervision: bool
) -> list[Line]:
    """The events in words for those who may see the course of `client` with `therapist`: no other client is in them.

    What the therapist wrote is told plainly, of supervision only to those two who are in it. Whoever else writes about
    this client does so in another course, which these readers do not know.
    """
    events = list(events)
    for event in events:
        event.clients = [client.code.hex] if event.clients else None
    people = _people_in(events)
    return [
        _line(
            event,
            people,
            [client.label],
            is_plain=event.actor == therapist
            and (reads_supervision or STORED.get(event.action) not in IN_SUPERVISION),
        )
        for event in events
    ]


def by_day(lines: Iterable[Line], *, by_role: bool = False) -> list[Day]:
    """The lines, newest first, by days of the clinic's time zone. by_role: as in `Entry`."""
    return [
        Day(day, [_entry(list(alike), by_role) for _, alike in groupby(of_day, key=_what_it_says)])
        for day, of_day in groupby(lines, key=lambda line: timezone.localdate(line.at))
    ]


def _what_it_says(line: Line) -> tuple[object, ...]:
    return line.who, line.sentence, line.labels, line.address


def _entry(alike: list[Line], by_role: bool) -> Entry:
    return Entry(alike[0], len(alike), alike[-1].at, by_role)


def _clients_of(event: AuditEvent, searched: set[str]) -> set[str]:
    """The codes of the clients to name, as a list stores them: it may hold hundreds, of whom one was searched for."""
    codes = set(event.clients or ())
    if searched:
        codes &= searched
    return codes | {event.client.hex} if event.client else codes


def _people_in(events: list[AuditEvent]) -> dict[UUID, User]:
    named = {event.actor for event in events if event.actor}
    for event in events:
        if event.entity == "user" and event.entity_code:
            named.add(event.entity_code)
        named |= {
            UUID(event.detail[role]) for role in ("supervisor", "therapist", "for") if role in event.detail
        }
    return {person.pk: person for person in User.objects.filter(pk__in=named)}


def _line(
    event: AuditEvent,
    people: dict[UUID, User],
    labels: list[str],
    other: str = "",
    *,
    is_searched: bool = False,
    is_plain: bool = False,
) -> Line:
    """`other`: the label of a second client that the event is about; not told where there is none."""

    def name(code: UUID | str | None) -> str:
        return str(people.get(UUID(str(code)), "somebody no longer listed")) if code else "somebody"

    who = name(event.actor) if event.actor else "The system"
    clients = _clients(event, labels)
    pattern = _pattern(event, is_plain=is_plain)
    sentence = (pattern if other else pattern.replace("client {other}", "another record")).format(
        who=who,
        client=labels[0] if event.client else "",
        clients=clients,
        about=f", searched for {clients}" if event.clients else "",
        refusal=_refusal(event, labels),
        other=other,
        person=name(event.entity_code) if event.entity == "user" else "",
        supervisor=name(event.detail.get("supervisor")),
        therapist=name(event.detail.get("therapist")),
        first=_day(event.detail.get("first", "")),
        last=_day(event.detail.get("last", "")),
        form=_form(event.detail),
        version=event.detail.get("version", ""),
        earlier=event.detail.get("earlier", ""),
        work_list=event.detail.get("work_list", ""),
        closing=CLOSINGS.get(event.detail.get("closing"), ""),
        kind=event.detail.get("kind", ""),
        rater=event.detail.get("rater", "client"),
        factor=FACTORS.get(event.detail.get("factor"), "a second factor"),
        approval=_approval(event.detail, name),
    )
    sentence = sentence[0].upper() + sentence[1:]
    is_list = len(event.clients or ()) > 1
    if is_list and is_searched:
        sentence += f", {', '.join(f'client {label}' for label in labels)} among them"
    actor = people.get(event.actor) if event.actor else None
    # The address beside the name: a name can be changed, and then old lines would name somebody else.
    account = f"{actor} ({actor.email})" if actor else ""
    roles = ", ".join(role.label for role in actor.roles) if actor else ""
    return Line(
        event.at,
        account,
        roles,
        sentence,
        tuple(labels),
        str(event.address or ""),
        is_list and not is_searched,
    )


def _pattern(event: AuditEvent, *, is_plain: bool) -> str:
    """The sentence of an event; a plain one where a newer release wrote it, and this one does not know it."""
    known = STORED.get(event.action)
    if known is None:
        return "{who}: " + event.action + (", client {client}" if event.client else "")
    if known in ALIKE and not is_plain:
        return READS_ALIKE
    return known.sentence if event.actor else known.by_client


def _clients(event: AuditEvent, labels: list[str]) -> str:
    count = len(event.clients or ())
    return f"{count} clients" if count > 1 else f"client {labels[0]}" if labels else "nobody"


def _day(written: str) -> str:
    return date_format(date.fromisoformat(written), "j F Y") if written else ""


def _refusal(event: AuditEvent, labels: list[str]) -> str:
    page = event.detail.get("page", "")
    pattern = REFUSALS.get(event.detail.get("why", ""), "asked for {page}{of} and was refused")
    of = f", client {labels[0]}," if event.client else ""
    return pattern.format(page=PAGES.get(page, "another page of the site"), of=of)


def _approval(detail: dict[str, str], name: Callable[[str], str]) -> str:
    """What was asked for, and for whom."""
    named = approval_kinds.names().get(detail.get("approval", ""), "something that opens ratings")
    return f"{named}, for {name(detail['for'])}" if "for" in detail else named


def _form(detail: dict[str, str]) -> str:
    """An instrument by its name, with language and edition of a wording; instruments come and go, the log stays."""
    code = detail.get("instrument", "")
    name = next((one.name for one in instruments.all_instruments() if one.id == code), code)
    language = str(dict(settings.LANGUAGES).get(detail.get("language", ""), ""))
    edition = f"edition {detail['edition']}" if "edition" in detail else ""
    return ", ".join(part for part in (name, language, edition) if part)


# --- As a file -----------------------------------------------------------------------------------


def as_csv(events: QuerySet[AuditEvent], about: frozenset[UUID] = frozenset()) -> Iterator[str]:
    yield csv_file.BEGINS_A_FILE
    yield from csv_file.as_rows([["When", "Who", "What", "Client", "Address"]])
    # By their numbers and without a cursor: behind a pooler none outlives its statement.
    rest = events
    while chunk := list(rest[:CHUNK]):
        yield from csv_file.as_rows(_cells(line) for line in lines(chunk, about))
        rest = events.filter(pk__lt=chunk[-1].pk)


def _cells(line: Line) -> tuple[str, ...]:
    when = timezone.localtime(line.at).isoformat(sep=" ", timespec="seconds")
    return when, line.who, line.sentence, ", ".join(line.labels), line.address
