"""The access log in plain language: who did what, to whom, when, from where.

It is for administrators, who see no ratings. So no sentence tells what was marked or found, and a
look at a flag reads like a look at the client.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from alliance.measurement import instruments
from alliance.models import AuditEvent, User
from clients.models import Client

SENTENCES = {
    "viewed": "{who} viewed client {client}",
    "listed": "{who} saw client {client} in a list",
    "viewed caseload": "{who} opened the caseload",
    "language chosen": "Client {client} chose another language for the form",
    "rating declined": "Client {client} gave the tablet back without a rating",
    "client registered": "{who} registered client {client}",
    "client changed": "{who} changed the details of client {client}",
    "episode opened": "{who} opened an episode of client {client} with {therapist}",
    "episode closed": "{who} closed an episode of client {client}",
    "episode reopened": "{who} reopened an episode of client {client}",
    "session added": "{who} added a session of client {client}",
    "session changed": "{who} changed a session of client {client}",
    "handed over": "{who} handed over to client {client}",
    "hand-over taken back": "{who} took back a hand-over to client {client}",
    "link made": "{who} made a link for the phone of client {client}",
    "form sent": "{who} sent the form of client {client} to the tablet of a room",
    "form opened": "The form of client {client} was opened",
    "rated": "{who} entered a rating of client {client}",
    "rating set aside": "Marks of client {client} arrived and were set aside",
    "set-aside marks used": "{who} let marks of client {client} count that had been set aside",
    "set-aside marks left": "{who} left marks of client {client} aside",
    "set-aside marks taken up": "{who} took up marks of client {client} again that had been left aside",
    "set-aside marks taken out": "{who} took marks of client {client} out again that had been set aside",
    "rating corrected": "{who} corrected a rating of client {client}",
    "earlier marks used again": "{who} let earlier marks of client {client} count again",
    "discussed": "{who} noted a conversation with client {client}",
    "discussion withdrawn": "{who} took back a note of a conversation with client {client}",
    "deferred": "{who} made a note about client {client}",
    "deferral undone": "{who} took back a note about client {client}",
    "follow-up noted": "{who} made a note about client {client}",
    "follow-up undone": "{who} took back a note about client {client}",
    "shown together": "{who} looked at a page together with client {client}",
    "person added": "{who} added {person}",
    "person changed": "{who} changed {person}",
    "invited": "{who} invited {person} to choose a password",
    "second factor removed": "{who} removed the second factor of {person}",
    "signed in": "{who} signed in",
    "signed out": "{who} was signed out",
    "sign-in failed": "Somebody failed to sign in as {person}",
    "second factor failed": "Somebody had the password of {person} and failed at the second factor",
    "password changed": "{who} changed their password",
    "password reset": "{who} chose a password through a link",
    "second factor added": "{who} added {factor} to their account",
    "own second factor removed": "{who} took {factor} off their account",
    "recovery codes renewed": "{who} made new recovery codes",
    "supervision started": "{who} made {supervisor} the supervisor of {therapist}",
    "supervision ended": "{who} ended the supervision of {therapist} by {supervisor}",
    "tablet paired": "{who} paired the tablet of a room",
    "tablet revoked": "{who} revoked the tablet of a room",
    "wording loaded": "{who} loaded a wording of {form}",
    "wording switched on": "{who} switched on the wording of {form}",
    "wording switched off": "{who} switched off the wording of {form}",
    "licence recorded": "{who} recorded a licence for {form}",
    "licence ended": "{who} ended a licence for {form}",
    "settings changed": "{who} saved version {version} of the settings: {form}, {closing}",
    "question added": "{who} added a question of the clinic",
    "question taken out": "{who} took out a question of the clinic",
    "question put back": "{who} put back a question of the clinic",
    "question language chosen": "{who} chose the language of the questions to ask",
    "rules changed": "{who} saved version {version} of the settings: flag rules of {form}",
    "rules tried": "{who} looked at what other flag rules of {form} would do",
    "settings used again": "{who} saved version {version} of the settings: as version {earlier}",
    "log exported": "{who} exported the access log",
}
BY_CLIENT = {"rated": "Client {client} gave a rating"}
# Written by the system only where a flag came or went: the line itself would tell what was found.
UNTOLD = frozenset({"flags refreshed"})
# Read alike, and cannot be asked for apart: something is only put off where a flag calls for a talk.
NOTES = frozenset({"deferred", "deferral undone", "follow-up noted", "follow-up undone"})
CLOSINGS = {"thanks": "only thanks at the end", "marks": "the client's own marks at the end"}
FACTORS = {"totp": "an app with one-time codes", "webauthn": "a passkey", "recovery_codes": "recovery codes"}
CHUNK = 500


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    sentence: str
    client: str
    address: str


def told() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.exclude(action__in=UNTOLD)


def lines(events: Iterable[AuditEvent]) -> list[Line]:
    """The events in words, in two queries however many they are."""
    events = list(events)
    people = {person.pk: person for person in User.objects.filter(pk__in=_people_in(events))}
    labels = dict(
        Client.objects.filter(code__in={event.client for event in events}).values_list("code", "label")
    )
    return [_line(event, people, labels) for event in events]


def _people_in(events: list[AuditEvent]) -> set[UUID]:
    named = {event.actor for event in events if event.actor}
    for event in events:
        if event.entity == "user" and event.entity_code:
            named.add(event.entity_code)
        named |= {UUID(event.detail[role]) for role in ("supervisor", "therapist") if role in event.detail}
    return named


def _line(event: AuditEvent, people: dict[UUID, User], labels: dict[UUID, str]) -> Line:
    def name(code: UUID | str | None) -> str:
        return str(people.get(UUID(str(code)), "somebody no longer listed")) if code else "somebody"

    who = name(event.actor) if event.actor else "The system"
    client = labels.get(event.client, "no longer listed") if event.client else ""
    pattern = SENTENCES.get(event.action, "{who}: " + event.action + (", client {client}" if client else ""))
    if not event.actor:
        pattern = BY_CLIENT.get(event.action, pattern)
    sentence = pattern.format(
        who=who,
        client=client,
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
    actor = people.get(event.actor) if event.actor else None
    # The address beside the name: a name can be changed, and then old lines would name somebody else.
    account = f"{actor} ({actor.email})" if actor else ""
    return Line(event.at, account, sentence, client, event.address or "")


def _form(detail: dict[str, str]) -> str:
    """An instrument by its name, with language and edition of a wording; instruments come and go, the log stays."""
    code = detail.get("instrument", "")
    name = next((one.name for one in instruments.all_instruments() if one.id == code), code)
    language = str(dict(settings.LANGUAGES).get(detail.get("language", ""), ""))
    edition = f"edition {detail['edition']}" if "edition" in detail else ""
    return ", ".join(part for part in (name, language, edition) if part)


# --- As a file -----------------------------------------------------------------------------------


class _Echo:
    """What `csv` takes for a file; the row goes straight to the browser."""

    def write(self, row: str) -> str:
        return row


def as_csv(events: QuerySet[AuditEvent]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # spreadsheets guess the encoding wrong without it
    yield writer.writerow(["When", "Who", "What", "Client", "Address"])
    found = events.iterator(CHUNK)
    while chunk := list(islice(found, CHUNK)):
        for line in lines(chunk):
            when = timezone.localtime(line.at).isoformat(sep=" ", timespec="seconds")
            cells = (when, line.who, line.sentence, line.client, line.address)
            yield writer.writerow([harmless(cell) for cell in cells])


def harmless(cell: str) -> str:
    """A spreadsheet runs a cell that starts like a formula; a quote makes it text (OWASP: CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
