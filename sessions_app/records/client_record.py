"""Everything that a therapist holds about one client: one structure, from which JSON and the printed page are made."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from alliance.models import User
from clients.models import Client
from sessions_app.instruments.promises import Door
from sessions_app.records import sheets
from sessions_app.records.field_kinds import CLIENT, SESSION
from sessions_app.records.sheets import Part, Scope, Sheet

EPISODE = "clients.Episode"
# Links between rows: in the printed record what belongs together stands together.
FOR_PROGRAMS = {"flags_of_talks", "flags_of_deferrals"}


@dataclass
class Entry:
    """One row. values: as files hold them, by column; facts: what a person reads, (heading, words)."""

    sheet: str
    title: str
    values: dict[str, Any]
    facts: list[tuple[str, str]]
    language: str = ""  # of the client's own words
    entries: "list[Entry]" = field(default_factory=list)  # what hangs on it

    @property
    def is_for_people(self) -> bool:
        return self.sheet not in FOR_PROGRAMS

    def as_json(self) -> dict[str, Any]:
        hanging: dict[str, list[Any]] = defaultdict(list)
        for entry in self.entries:
            hanging[entry.sheet].append(entry.as_json())
        return {**self.values, **hanging}


@dataclass
class Record:
    client: Entry
    made_by: str
    made_at: str
    kept_back: int = 0  # ratings and answers that are not in it, by what was promised

    @property
    def episodes(self) -> list[Entry]:
        return self.client.entries

    def as_json(self) -> dict[str, Any]:
        return {
            "about": {
                "made_at": self.made_at,
                "made_by": self.made_by,
                "kept_back_by_promise": self.kept_back,
                "columns": {sheet.name: {one.name: one.says for one in sheet.columns} for sheet in _sheets()},
            },
            "client": self.client.as_json(),
        }


def read(client: Client, by: User) -> Record:
    """The episodes of `client` with `by`, who must treat them; what colleagues hold is theirs to give.

    Raises `ErasedMeanwhile`.
    """
    scope = Scope(by, Part.OWN, client, Door.RECORD)
    found = {sheet.table.model: list(_entries(sheet, scope)) for sheet in _sheets()}
    (whole,) = [entry for _, entry in found.pop(CLIENT)]
    episodes = {entry.values["episode_code"]: entry for _, entry in found.pop(EPISODE)}
    sessions = {}
    for keys, entry in sorted(found.pop(SESSION), key=lambda pair: pair[1].values["session_number"]):
        episodes[keys["episode_code"]].entries.append(entry)
        sessions[entry.values["session_code"]] = entry
    for rows in found.values():
        for keys, entry in rows:
            # A row that hangs on an episode and on no session is added to the episode.
            home = sessions.get(keys.get("session_code")) or episodes[keys["episode_code"]]
            home.entries.append(entry)
    whole.entries = sorted(episodes.values(), key=lambda entry: entry.values["opened_on"])
    scope.refuse_if_erased_meanwhile()
    made_at = timezone.localtime().isoformat(timespec="seconds")
    return Record(whole, str(by), made_at, _kept_back(scope))


def _kept_back(scope: Scope) -> int:
    """How many sets of marks the record would hold beside, had the form not promised that it does not."""
    anyway = replace(scope, door=Door.THERAPIST)
    of_marks = [sheet.table for sheet in _sheets() if sheet.table.promise]
    return sum(anyway.rows(table).count() - scope.rows(table).count() for table in of_marks)


def _sheets() -> list[Sheet]:
    return sheets.sheets(Part.OWN)


def _entries(sheet: Sheet, scope: Scope) -> Iterator[tuple[dict[str, Any], Entry]]:
    """(to whom the row belongs, the row)."""
    for row in sheets.raw_rows(sheet, scope):
        pairs = list(zip(sheet.columns, row, strict=True))
        keys = {one.name: one.value(*found) for one, found in pairs[: sheet.keys]}
        values = {one.name: one.value(*found) for one, found in pairs[sheet.keys :]}
        facts = [(_heading(one.name), one.words(*found)) for one, found in pairs if one.for_people]
        facts = [(heading, words) for heading, words in facts if words]
        language = str(values.get("language") or "")
        yield keys, Entry(sheet.name, sheet.table.title, values, facts, language)


def _heading(name: str) -> str:
    return name.removesuffix("_points").replace("_", " ").capitalize()
