"""Why a client needs a talk, in one order for the work list and the caseload."""

from collections.abc import Iterable, Sequence

from sessions_app.courses.models import TherapySession
from sessions_app.flags.models import Flag


def strongest_first(flags: Iterable[Flag]) -> list[Flag]:
    """Of equal strength the newest first."""
    return sorted(flags, key=lambda flag: (flag.strength, -flag.session.number))


def one_a_rule(flags: Iterable[Flag]) -> list[Flag]:
    """The newest flag of each rule, the strongest rule first: what is said once need not be said twice."""
    newest: dict[str, Flag] = {}
    for flag in strongest_first(flags):
        newest.setdefault(flag.rule, flag)
    return list(newest.values())


def waiting_since(flags: Sequence[Flag]) -> TherapySession:
    """The session since which the strongest reason waits: the oldest open flag of its rule."""
    strongest = strongest_first(flags)[0]
    return min((flag.session for flag in flags if flag.rule == strongest.rule), key=lambda one: one.number)
