"""A pack: the text of an instrument as its owner publishes it, with owner, licence and source, apart from this program.

A folder of TOML files in UTF-8. `pack.toml` says whose it is:

    instrument = "..."
    name = "..."
    owner = "..."
    licence = "..."             # such as CC BY-NC-ND 4.0
    terms = "..."               # what whoever uses it has to keep to, in a few sentences
    source = "..."              # where the text was taken from
    date = 2026-01-31           # and when
    line = "..."                # the owner's line, shown on each form

Each other file is a wording file of that instrument (`wording_file`). Its words are never changed here.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, UnknownInstrument
from alliance.measurement.wording_file import WordingFile, decoded, read_wording
from alliance.measurement.wording_texts import WordingError, part

HEAD = "pack.toml"
MOST_FILES = 40
TEXTS = {
    "instrument": 40,
    "name": 120,
    "owner": 120,
    "licence": 120,
    "terms": 600,
    "source": 300,
    "line": 300,
}


@dataclass(frozen=True, slots=True)
class Pack:
    """sha256: of all its files, so that a pack that was changed is another one."""

    instrument: Instrument
    name: str
    owner: str
    licence: str
    terms: str
    source: str
    dated: date
    line: str
    wordings: tuple[WordingFile, ...]
    sha256: str


def read_pack(files: Mapping[str, bytes], languages: Collection[str]) -> Pack:
    """Read and check a whole pack. Raises WordingError with every complaint, each with its file."""
    if HEAD not in files:
        raise WordingError([f"{HEAD}: this file is missing."])
    if len(files) > MOST_FILES:
        raise WordingError([f"A pack has {MOST_FILES} files at most, and this one has {len(files)}."])
    head = _head(files[HEAD])
    complaints = [f"{HEAD}: {sentence}" for sentence in _complaints(head)]
    found = _instrument(head, complaints)
    wordings = []
    for name in sorted(files):
        if name == HEAD:
            continue
        try:
            read = read_wording(decoded(files[name]), languages, in_pack=True)
        except WordingError as error:
            complaints += [f"{name}: {sentence}" for sentence in error.sentences]
            continue
        complaints += [f"{name}: {sentence}" for sentence in _other_than(head, read)]
        wordings.append(read)
    complaints += _together(wordings, files)
    if complaints or found is None:
        raise WordingError(complaints)
    texts = {name: head[name].strip() for name in TEXTS if name != "instrument"}
    with_line = tuple(_with_line(one, texts["line"]) for one in wordings)
    return Pack(instrument=found, dated=head["date"], wordings=with_line, sha256=_digest(files), **texts)


def _head(raw: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(decoded(raw).replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise WordingError([f"{HEAD}: The file is not TOML: {error}."]) from error
    except RecursionError as error:
        raise WordingError([f"{HEAD}: its brackets are nested too deep."]) from error
    except WordingError as error:
        raise WordingError([f"{HEAD}: {sentence}" for sentence in error.sentences]) from error


def _complaints(head: Mapping[str, Any]) -> Iterator[str]:
    for name in head:
        if name not in (*TEXTS, "date"):
            yield f"{name}: a pack has no such part."
    for name, most in TEXTS.items():
        yield from part(head, name, name, most=most)
    dated = head.get("date")
    if not isinstance(dated, date) or isinstance(dated, datetime):
        yield "date: this is not a day such as 2026-01-31, without quotes."


def _instrument(head: Mapping[str, Any], complaints: list[str]) -> Instrument | None:
    wanted = head.get("instrument")
    if not isinstance(wanted, str) or not wanted.strip():
        return None
    try:
        found = instruments.get(wanted.strip())
    except UnknownInstrument as error:
        complaints.append(f"{HEAD}: instrument: {error}")
        return None
    if found.licence != "pack":
        complaints.append(f"{HEAD}: instrument: {found.name} does not come in a pack.")
    return found


def _other_than(head: Mapping[str, Any], read: WordingFile) -> Iterator[str]:
    wanted, line = head.get("instrument"), head.get("line")
    if isinstance(wanted, str) and read.instrument.id != wanted.strip():
        yield f"instrument: {read.instrument.id} here, {wanted.strip()} in {HEAD}."
    said = read.wording.copyright
    if said and isinstance(line, str) and said != line.strip():
        yield f"copyright: “{said}” here, “{line.strip()}” as the line in {HEAD}."


def _together(wordings: list[WordingFile], files: Mapping[str, bytes]) -> Iterator[str]:
    if len(files) == 1:
        yield "The pack has no wording file beside pack.toml."
    keys = [(one.edition.lower(), one.wording.language) for one in wordings]
    for edition, language in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"Two files have edition {edition} in the language {language}."
    if len({edition for edition, _language in keys}) > 1:
        yield "The files have different editions, and only one edition can be in use at a time."


def _with_line(read: WordingFile, line: str) -> WordingFile:
    return replace(read, wording=replace(read.wording, copyright=line))


def _digest(files: Mapping[str, bytes]) -> str:
    whole = sha256()
    for name in sorted(files):
        # Each part with its length: no two packs run together to the same bytes.
        for content in (name.encode(), files[name]):
            whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()
