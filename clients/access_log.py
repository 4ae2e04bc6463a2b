"""The access log in plain language: who did what, to whom, when, from where.

Which sentence tells of which event stands in `alliance.log_events`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from alliance import csv_file
from alliance.log_events import NOTES, STORED, UNTOLD, LogEvent
from alliance.measurement import instruments
from alliance.models import AuditEvent, User
from clients.models import Client

# Of no clinic but the demo's.
NOT_ASKED_FOR = NOTES | UNTOLD | {LogEvent.DEMO_SEEDED}
CLOSINGS = {"thanks": "only thanks at the end", "marks": "the client's own marks at the end"}
FACTORS = {"totp": "an app with one-time codes", "webauthn": "a passkey", "recovery_codes": "recovery codes"}
CHUNK = 500


@dataclass(frozen=True)
class Line:
    """One line in words. `labels`: of the clients it is about, as far as the reader asked for them.

    `names_apart`: the sentence says only how many they are.
    """

    at: datetime
    who: str
    sentence: str
    labels: list[str]
    address: str
    names_apart: bool


def told() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.exclude(action__in=UNTOLD)


def asked_for() -> frozenset[LogEvent]:
    """The events of which the log can be asked for one kind alone."""
    return frozenset(LogEvent) - NOT_ASKED_FOR


def lines(events: Iterable[AuditEvent], about: frozenset[UUID] = frozenset()) -> list[Line]:
    """The events in words, in two queries however many they are.

    `about`: the clients that were searched for, if any. A line for a list then names no others.
    """
    events = list(events)
    people = {person.pk: person for person in User.objects.filter(pk__in=_people_in(events))}
    searched = {code.hex for code in about}
    codes = {event.pk: _clients_of(event, searched) for event in events}
    named = set().union(*codes.values())
    labels = {
        code.hex: label for code, label in Client.objects.filter(code__in=named).values_list("code", "label")
    }
    return [
        _line(
            event,
            people,
            sorted({labels.get(code, "no longer listed") for code in codes[event.pk]}),
            is_searched=bool(about),
        )
        for event in events
    ]


def _clients_of(event: AuditEvent, searched: set[str]) -> set[str]:
    """The codes of the clients to name, as a list stores them: it may hold hundreds, of whom one was searched for."""
    codes = set(event.clients or ())
    if searched:
        codes &= searched
    return codes | {event.client.hex} if event.client else codes


def _people_in(events: list[AuditEvent]) -> set[UUID]:
    named = {event.actor for event in events if event.actor}
    for event in events:
        if event.entity == "user" and event.entity_code:
            named.add(event.entity_code)
        named |= {UUID(event.detail[role]) for role in ("supervisor", "therapist") if role in event.detail}
    return named


def _line(event: AuditEvent, people: dict[UUID, User], labels: list[str], *, is_searched: bool) -> Line:
    def name(code: UUID | str | None) -> str:
        return str(people.get(UUID(str(code)), "somebody no longer listed")) if code else "somebody"

    who = name(event.actor) if event.actor else "The system"
    sentence = _pattern(event).format(
        who=who,
        client=labels[0] if event.client else "",
        clients=_clients(event, labels),
        person=name(event.entity_code) if event.entity == "user" else "",
        supervisor=name(event.detail.get("supervisor")),
        therapist=name(event.detail.get("therapist")),
        form=_form(event.detail),
        version=event.detail.get("version", ""),
        earlier=event.detail.get("earlier", ""),
        closing=CLOSINGS.get(event.detail.get("closing"), ""),
        factor=FACTORS.get(event.detail.get("factor"), "a second factor"),
    )
    sentence = sentence[0].upper() + sentence[1:]
    is_list = len(event.clients or ()) > 1
    if is_list and is_searched:
        sentence += f", {', '.join(f'client {label}' for label in labels)} among them"
    actor = people.get(event.actor) if event.actor else None
    # The address beside the name: a name can be changed, and then old lines would name somebody else.
    account = f"{actor} ({actor.email})" if actor else ""
    return Line(event.at, account, sentence, labels, event.address or "", is_list and not is_searched)


def _pattern(event: AuditEvent) -> str:
    """The sentence of an event; a plain one where a newer release wrote it, and this one does not know it."""
    known = STORED.get(event.action)
    if known is None:
        return "{who}: " + event.action + (", client {client}" if event.client else "")
    return known.sentence if event.actor else known.by_client


def _clients(event: AuditEvent, labels: list[str]) -> str:
    count = len(event.clients or ())
    return f"{count} clients" if count > 1 else f"client {labels[0]}" if labels else "nobody"


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
    found = events.iterator(CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield from csv_file.as_rows(_cells(line) for line in lines(chunk, about))


def _cells(line: Line) -> tuple[str, ...]:
    when = timezone.localtime(line.at).isoformat(sep=" ", timespec="seconds")
    return when, line.who, line.sentence, ", ".join(line.labels), line.address
