"""What the site finds out about its own state, in sentences; the registry of the checks that find it.

A check lies in the file of its concern: `checks_of_<concern>.py` in this package is loaded by itself (`load`); other
apps load theirs in `ready()`. All four places that ask take the same findings: the start, `/readyz`,
`manage.py doctor` and the page *Health*.

    @check("mail", at=ASKED)
    def mail() -> Iterator[Finding]:
        yield failed("mail", "The mail server does not answer.", "Look at EMAIL_URL.")
"""

import logging
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from functools import partial
from importlib import import_module

from django.db import DatabaseError, connection
from django.http import HttpRequest

logger = logging.getLogger(__name__)
SEE_THE_LOG = "The server's log says more, at this moment."


class State(IntEnum):
    """How bad it is: the number is the exit status of `manage.py doctor`."""

    OK = 0
    WARNING = 1  # the site serves, and somebody should see to it
    FAILED = 2  # where the start or `/readyz` asks: the site does not serve


class At(Flag):
    """Who asks. A check names all that may; the first two want an answer at once, and of what forbids to serve."""

    START = auto()  # before the site serves; a failed finding refuses to
    READY = auto()  # `/readyz`, every few seconds; a failed finding answers 503, and its sentence is public
    PAGE = auto()  # the page *Health*, and `manage.py doctor`
    ASKED = (
        auto()
    )  # `manage.py doctor`, and the page where somebody asks for it: what takes long or rings elsewhere


START, READY, PAGE, ASKED = At.START, At.READY, At.PAGE, At.ASKED


@dataclass(frozen=True)
class Finding:
    """`key` stays the same for whoever reads JSON. No sentence holds a secret, or anything about a client."""

    key: str
    state: State
    sentence: str  # what is so; said to one technical helper, and to an administrator who is none
    to_do: str = ""  # the next step; every finding that is not OK has one


Check = Callable[[], Iterable[Finding]]
CheckOfRequest = Callable[[HttpRequest], Iterable[Finding]]


@dataclass(frozen=True)
class _Registered:
    at: At
    asks_database: bool
    find: Check


_CHECKS: dict[str, _Registered] = {}
_OF_REQUEST: dict[str, CheckOfRequest] = {}


def ok(key: str, sentence: str) -> Finding:
    return Finding(key, State.OK, sentence)


def warning(key: str, sentence: str, to_do: str) -> Finding:
    return Finding(key, State.WARNING, sentence, to_do)


def failed(key: str, sentence: str, to_do: str) -> Finding:
    return Finding(key, State.FAILED, sentence, to_do)


def check(key: str, *, at: At, asks_database: bool = True) -> Callable[[Check], Check]:
    """Register a check under a name of its own. It may find several things, and says of each whether it is well.

    One that asks the database is left out where that does not answer: this is said once and not by each.
    """

    def register(function: Check) -> Check:
        _CHECKS[key] = _Registered(at, asks_database, function)
        return function

    return register


def check_of_request(key: str) -> Callable[[CheckOfRequest], CheckOfRequest]:
    """Register a check of what a request looks like when it arrives: for the page alone."""

    def register(function: CheckOfRequest) -> CheckOfRequest:
        _OF_REQUEST[key] = function
        return function

    return register


def run(at: At, request: HttpRequest | None = None) -> list[Finding]:
    """The findings of all checks for `at`, in the order of their names; those of a `request` last."""
    wanted = [(key, known) for key, known in sorted(_CHECKS.items()) if known.at & at]
    silent = _silent_database() if any(known.asks_database for _, known in wanted) else []
    found = list(silent)
    for key, known in wanted:
        if not (silent and known.asks_database):
            found += _found(key, known.find)
    if request is not None:
        for key, of_request in sorted(_OF_REQUEST.items()):
            found += _found(key, partial(of_request, request))
    return found


def worst(findings: Iterable[Finding]) -> State:
    return max((finding.state for finding in findings), default=State.OK)


def _silent_database() -> list[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        # The text of an error may hold addresses and names: it goes to the server's log alone.
        logger.warning("The database does not answer: %s", error)
        return [database_is_silent()]
    return []


def database_is_silent() -> Finding:
    return failed(
        "database",
        "The database does not answer.",
        f"Look whether it runs, whether DATABASE_URL is right, and whether its disk is full. {SEE_THE_LOG}",
    )


def _found(key: str, find: Check) -> list[Finding]:
    """A check that fails is a finding: one broken part must not hide what the others find."""
    try:
        return list(find())
    except Exception as error:
        logger.warning("The check %s could not be made: %s", key, error)
        sentence = f"{key.replace('_', ' ').capitalize()} could not be checked: {type(error).__name__}."
        return [failed(key, sentence, SEE_THE_LOG)]


def in_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Each as a line for a terminal."""
    for finding in findings:
        said = " ".join(filter(None, (finding.sentence, finding.to_do)))
        yield f"{finding.state.name.lower():<8} {finding.key}: {said}"


def load() -> None:
    """Import the checks of this package, so that they are registered."""
    from alliance import operations

    for module in pkgutil.iter_modules(operations.__path__):
        if module.name.startswith("checks_of_"):
            import_module(f"{operations.__name__}.{module.name}")
