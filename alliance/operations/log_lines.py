"""A line of the log: what is kept of a record, and that nothing personal is.

Messages of this site are written so that they hold nothing personal. Those of packages are not: "Not Found: /go/…",
"Key (label)=(K-1) already exists". Of theirs only the words that stand in the program are kept, of an exception its
type, the stack without values, and what the database, or the system, calls the fault.
"""

import errno
import logging
import os
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from alliance.operations import request_number

ROOT = Path(__file__).resolve().parents[2]
OURS = ("alliance", "clients", "sessions_app")
_PLACEHOLDER = re.compile(r"%(\(\w+\))?[-#0 +]*\d*(\.\d+)?[a-zA-Z]")
_SQLITE_CONSTRAINT = re.compile(
    r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(: (index '[a-z0-9_]+'|[a-z0-9_.]+(, [a-z0-9_.]+)*))?"
)
_CHAIN_LENGTH, _STACK_LENGTH = 5, 40
Fields = dict[str, Any]


class JsonLines(JsonFormatter):
    """One object a line, for whatever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        return self.serialize_log_record(fields_of(record))


class PlainLines(logging.Formatter):
    """The same for eyes: the stack stands below."""

    def format(self, record: logging.LogRecord) -> str:
        fields = fields_of(record)
        error = fields.pop("error", None)
        first = " ".join(str(fields.pop(name)) for name in ("time", "level", "logger", "message"))
        line = " ".join([first, *(f"{name}={value}" for name, value in fields.items())])
        return "\n".join([line, *(in_words(error) if error else [])])


class SaidElsewhere(logging.Filter):
    """Leaves out what Django says of a refused request: the line of the request has it, under its number.

    And the list of erasures, which goes where the lines go, but as it is.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = record.name.startswith("django.") and getattr(record, "status_code", 500) < 500
        return not is_refusal and record.name != "alliance.erasures"


def fields_of(record: logging.LogRecord) -> Fields:
    """All that leaves this process of a record. Never whatever else was put beside it, such as a whole request."""
    fields: Fields = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": message_of(record),
    }
    if number := request_number.number():
        fields |= {"number": number, "route": request_number.route()}
    fields |= getattr(record, "facts", {}) if is_ours(record) else {}
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = error_of(record.exc_info[1])
    return fields


def is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def message_of(record: logging.LogRecord) -> str:
    """A package's words without what it filled in; where it filled in nothing, nobody knows what stands in them."""
    if is_ours(record):
        return record.getMessage()
    if record.args:
        return _PLACEHOLDER.sub("…", str(record.msg))
    return "" if request_number.number() else str(record.msg)


def error_of(error: BaseException) -> Fields:
    """Its type, where it was raised, and what it came from; never its message."""
    told: Fields = {
        "type": _type_of(error),
        **_named_by_the_system(error),
        "stack": _stack(error.__traceback__),
    }
    came_from = [
        {"type": _type_of(one), **_named_by_the_system(one), "stack": _stack(one.__traceback__)}
        for one in _before(error)
    ]
    return {**told, "came_from": came_from} if came_from else told


def in_words(error: Fields) -> list[str]:
    """Lines for a person: a log that is read, a mail."""
    names = [f"{name}={error[name]}" for name in error if name not in ("type", "stack", "came_from")]
    lines = [" ".join([error["type"], *names]), *(f"  {frame}" for frame in error["stack"])]
    for one in error.get("came_from", []):
        lines += [f"came from {line}" if not line.startswith(" ") else line for line in in_words(one)]
    return lines


def _type_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _named_by_the_system(error: BaseException) -> Fields:
    """Names out of the program and the schema, which tell a fault from another without what somebody entered."""
    names: Fields = {}
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        names["system"] = f"{errno.errorcode[error.errno]}: {os.strerror(error.errno)}"
    if isinstance(code := getattr(error, "smtp_code", None), int):
        names["smtp"] = code
    if isinstance(state := getattr(error, "sqlstate", None), str):
        names["sqlstate"] = state
        diagnosis = getattr(error, "diag", None)
        for name in ("table_name", "constraint_name"):
            if value := getattr(diagnosis, name, None):
                names[name] = value
    if isinstance(kind := getattr(error, "sqlite_errorname", None), str):
        names["sqlite"] = kind
        if (text := str(error)) and _SQLITE_CONSTRAINT.fullmatch(text):
            names["constraint"] = text
    return names


def _stack(trace: TracebackType | None) -> list[str]:
    frames = list(traceback.walk_tb(trace))[-_STACK_LENGTH:]
    summary = traceback.StackSummary.extract(iter(frames), lookup_lines=True, capture_locals=False)
    return [
        f"{_short(one.filename)}:{one.lineno} in {one.name}: {one.line or ''}".rstrip(": ") for one in summary
    ]


def _short(filename: str) -> str:
    """Without where the site lies on this machine."""
    path = Path(filename)
    if "site-packages" in path.parts:
        return str(Path(*path.parts[path.parts.index("site-packages") + 1 :]))
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def _before(error: BaseException) -> Iterator[BaseException]:
    """What it came from, as Python would print it, without an end where two point to each other."""
    seen = {id(error)}
    for _ in range(_CHAIN_LENGTH):
        earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if earlier is None or id(earlier) in seen:
            return
        seen.add(id(earlier))
        yield earlier
        error = earlier
