"""What can be imported, in which columns, and under which names other systems have them.

Where a name of a column is not guessed, a person chooses it: nothing depends on the guess.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

_NO_LETTER = re.compile(r"[\W_]+")


class Kind(StrEnum):
    """What one file holds. In this order: each refers to those before it."""

    PEOPLE = "people"
    SUPERVISIONS = "supervisions"
    CLIENTS = "clients"
    EPISODES = "episodes"
    SESSIONS = "sessions"
    RATINGS = "ratings"


@dataclass(frozen=True)
class Column:
    """names: as other systems head it. is_mark: what a client marked, which no page of the office shows."""

    id: str
    label: str
    names: tuple[str, ...]
    required: bool = False
    is_mark: bool = False
    help: str = ""


@dataclass(frozen=True)
class Sheet:
    """One kind of file. example: rows of a file to download, in the order of the columns."""

    kind: Kind
    title: str
    one: str
    many: str
    says: str
    columns: tuple[Column, ...]
    example: tuple[tuple[str, ...], ...]

    def column(self, column_id: str) -> Column:
        return next(column for column in self.columns if column.id == column_id)


_NUMBERS_OF_CLIENT = (
    *("client number", "client", "client id", "client no", "client code"),
    *("klient", "klientin", "klientennummer", "klienten id", "klient nr", "klientnummer", "klienten nr"),
    *("patientennummer", "patienten id", "patientnumber", "patientid", "patientnr", "chiffre", "fallnummer"),
)
_THERAPISTS = (
    *("therapist", "therapist email", "therapist e mail", "clinician", "clinician email"),
    *("therapeut", "therapeutin", "therapeut in", "behandler", "behandlerin", "therapeut e mail"),
    "therapeut email",
)
_NUMBERS_OF_EPISODE = (
    "episode",
    "episode number",
    "episode id",
    "therapie nr",
    "therapienummer",
    "behandlung",
)
# Not "session number": in most files that is the 1, 2, 3 of each client.
_NUMBERS_OF_SESSION = (
    "session id",
    "appointment id",
    "external number",
    "sitzungs id",
    "sitzung id",
    "termin id",
)
_ONLY_ONCE = "Each stands in the file once: not the 1, 2, 3 of each client."
_DAYS = (
    "date",
    "session date",
    "held at",
    "held on",
    "starts",
    "start",
    "datum",
    "sitzungsdatum",
    "termin",
    "beginn",
)
_TIMES = ("time", "start time", "starts at", "uhrzeit", "zeit", "startzeit")
_OPENED = (
    "opened on",
    "opened",
    "start of therapy",
    "begin",
    "since",
    "therapiebeginn",
    "beginn",
    "aufnahme",
    "seit",
)
_DAY_HELP = "A day, or a day with its time: 2025-03-31, 31.03.2025 14:00."

MARKS = (
    Column("relationship", "Relationship", ("relationship", "beziehung", "line 1", "item 1"), is_mark=True),
    Column(
        "goals",
        "Goals and topics",
        ("goals", "goals and topics", "goals topics", "ziele", "ziele und themen", "line 2", "item 2"),
        is_mark=True,
    ),
    Column(
        "approach",
        "Approach",
        ("approach", "approach or method", "method", "ansatz", "methode", "vorgehen", "line 3", "item 3"),
        is_mark=True,
    ),
    Column("overall", "Overall", ("overall", "gesamt", "insgesamt", "line 4", "item 4"), is_mark=True),
    Column(
        "total",
        "Total",
        ("total", "sum", "score", "total score", "gesamtwert", "summe", "gesamtpunktzahl"),
        is_mark=True,
        help="Where the other system kept no lines. It is kept as a total; no lines are made up of it.",
    ),
)
LINES = tuple(column.id for column in MARKS[:-1])

SHEETS: Mapping[Kind, Sheet] = {
    sheet.kind: sheet
    for sheet in (
        Sheet(
            Kind.PEOPLE,
            "Therapists and supervisors",
            "person",
            "people",
            "Nobody is invited by an import: invite them under People when they are to begin.",
            (
                Column(
                    "email", "E-mail address", ("email", "e mail", "mail", "e mail address"), required=True
                ),
                Column(
                    "name", "Name", ("name", "full name", "vollstaendiger name", "anzeigename"), required=True
                ),
                Column(
                    "roles",
                    "Roles",
                    ("roles", "role", "rolle", "rollen", "funktion"),
                    required=True,
                    help="Therapist, supervisor, or both. Administrators are added under People.",
                ),
            ),
            (
                ("olga@clinic.example", "Olga Example", "therapist"),
                ("sina@clinic.example", "Sina Example", "therapist, supervisor"),
            ),
        ),
        Sheet(
            Kind.SUPERVISIONS,
            "Supervision",
            "supervision",
            "supervisions",
            "Who supervises whom, from when to when.",
            (
                Column(
                    "supervisor",
                    "Supervisor",
                    ("supervisor", "supervisorin", "supervisor email"),
                    required=True,
                ),
                Column("therapist", "Therapist", _THERAPISTS, required=True),
                Column(
                    "starts_on",
                    "From",
                    ("from", "starts on", "start", "von", "beginn", "ab"),
                    required=True,
                ),
                Column(
                    "ends_on", "To", ("to", "until", "ends on", "end", "bis", "ende"), help="Empty: in force."
                ),
            ),
            (
                ("sina@clinic.example", "olga@clinic.example", "2024-09-01", ""),
                ("sina@clinic.example", "carl@clinic.example", "2024-09-01", "2025-08-31"),
            ),
        ),
        Sheet(
            Kind.CLIENTS,
            "Clients",
            "client",
            "clients",
            "The number is the one of your other system. It tells a client who is here already from a new one.",
            (
                Column(
                    "number", "Number", (*_NUMBERS_OF_CLIENT, "number", "nummer", "nr", "id"), required=True
                ),
                Column(
                    "label",
                    "Label",
                    ("label", "initials", "name", "kuerzel", "bezeichnung"),
                    required=True,
                ),
                Column("language", "Language of the form", ("language", "language of the form", "sprache")),
                Column("age_band", "Age", ("age", "age band", "age group", "alter", "altersgruppe")),
                Column(
                    "therapist",
                    "Therapist",
                    _THERAPISTS,
                    help="Opens the first episode. A client without an episode stands in no list of a therapist.",
                ),
                Column("opened_on", "Opened on", _OPENED, help="Of that episode."),
            ),
            (
                ("4711", "A. B.", "en", "adult", "olga@clinic.example", "2025-01-13"),
                ("4712", "C. D.", "de", "adolescent", "olga@clinic.example", "2025-02-03"),
            ),
        ),
        Sheet(
            Kind.EPISODES,
            "Episodes",
            "episode",
            "episodes",
            "A course of therapy of one client with one therapist, from the first to the last day.",
            (
                Column("client", "Client", _NUMBERS_OF_CLIENT, required=True, help="The client’s number."),
                Column("therapist", "Therapist", _THERAPISTS, required=True),
                Column("opened_on", "Opened on", _OPENED, required=True),
                Column(
                    "closed_on",
                    "Closed on",
                    (
                        "closed on",
                        "closed",
                        "end",
                        "end of therapy",
                        "therapieende",
                        "ende",
                        "abschluss",
                        "bis",
                    ),
                ),
                Column(
                    "ending",
                    "Kind of ending",
                    ("ending", "kind of ending", "end reason", "art des endes", "beendigung", "endegrund"),
                    help="Planned, unplanned or transferred.",
                ),
                Column("number", "Episode id", (*_NUMBERS_OF_EPISODE, "id"), help=_ONLY_ONCE),
            ),
            (
                ("4711", "olga@clinic.example", "2023-05-02", "2023-12-19", "planned", "E-1"),
                ("4711", "olga@clinic.example", "2025-01-13", "", "", "E-2"),
            ),
        ),
        Sheet(
            Kind.SESSIONS,
            "Sessions",
            "session",
            "sessions",
            "With their ratings, where they stand in the same rows. A session that took place and has no rating here "
            "counts as not rated.",
            (
                Column(
                    "client", "Client", _NUMBERS_OF_CLIENT, help="The client’s number, or else the episode’s."
                ),
                Column(
                    "episode", "Episode id", _NUMBERS_OF_EPISODE, help="Only where two run on the same day."
                ),
                Column("date", "Date", _DAYS, required=True, help=_DAY_HELP),
                Column("time", "Time", _TIMES, help="Where it has a column of its own."),
                Column(
                    "attendance",
                    "Attendance",
                    ("attendance", "attended", "status", "anwesenheit", "teilnahme", "erschienen"),
                    help="Empty: a session of the past took place, one to come is planned.",
                ),
                Column("modality", "How", ("modality", "how", "setting", "modus", "form")),
                Column("number", "Session id", (*_NUMBERS_OF_SESSION, "id"), help=_ONLY_ONCE),
                *MARKS,
            ),
            (
                (
                    "4711",
                    "",
                    "2025-01-20 14:00",
                    "",
                    "attended",
                    "in person",
                    "S-1",
                    "8.2",
                    "7.9",
                    "8.5",
                    "8.0",
                    "",
                ),
                ("4711", "", "2025-01-27", "", "attended", "video", "S-2", "", "", "", "", "34.5"),
            ),
        ),
        Sheet(
            Kind.RATINGS,
            "Earlier ratings",
            "rating",
            "ratings",
            "Of sessions that are here already. A rating that is here is never changed.",
            (
                Column(
                    "session",
                    "Session id",
                    _NUMBERS_OF_SESSION,
                    help="As imported; or else client and date.",
                ),
                Column("client", "Client", _NUMBERS_OF_CLIENT),
                Column("date", "Date of the session", _DAYS, help=_DAY_HELP),
                Column("time", "Time", _TIMES),
                *MARKS,
            ),
            (
                ("S-1", "", "", "", "8.2", "7.9", "8.5", "8.0", ""),
                ("", "4711", "2025-01-27", "", "", "", "", "", "34.5"),
            ),
        ),
    )
}


def guess(sheet: Sheet, header: Sequence[str]) -> dict[str, int]:
    """{column: place in the file}, for those whose name is known."""
    plain = [_plain(name) for name in header]
    found: dict[str, int] = {}
    for column in sheet.columns:
        for name in (column.label, *column.names):
            places = [
                at for at, head in enumerate(plain) if head == _plain(name) and at not in found.values()
            ]
            if places:
                found[column.id] = places[0]
                break
    return found


def _plain(name: str) -> str:
    spelt = name.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    letters = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return _NO_LETTER.sub("", letters)
