"""Which forms are due at a session: the plan as data, and the one rule that says what it asks for.

Plain Python: it knows no clock, no database and no instrument. docs/plan-of-forms.md says the same in words.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple


class Moment(StrEnum):
    """When in the course, or in a session, a form is given. RATING: on which scale each session is rated."""

    RATING = "rating"
    INTAKE = "intake"
    START = "start"
    END = "end"
    ENDING = "ending"


class Frequency(StrEnum):
    EACH = "each"
    SESSIONS = "sessions"
    WEEKS = "weeks"
    CHOSEN = "chosen"
    ONCE = "once"


# At the start of a session: those of the intake are given before it begins.
BEFORE_IT = (Moment.INTAKE, Moment.START)
# These say by themselves how often.
ALWAYS = {
    Moment.RATING: Frequency.EACH,
    Moment.INTAKE: Frequency.ONCE,
    Moment.ENDING: Frequency.ONCE,
}
EVERY_AT_LEAST, EVERY_AT_MOST = {Frequency.SESSIONS: 2, Frequency.WEEKS: 1}, 52
LAST_NUMBER, NUMBERS_AT_MOST = 500, 20


@dataclass(frozen=True, slots=True)
class Timing:
    """every: n of "every n-th session" and "every n weeks". numbers: the chosen sessions."""

    moment: Moment
    frequency: Frequency = Frequency.EACH
    every: int = 0
    numbers: tuple[int, ...] = ()


class Session(NamedTuple):
    """A session that took place, or is planned to."""

    number: int
    day: date


@dataclass(frozen=True, slots=True)
class Whose:
    """For whom an entry is meant: everybody, or those of these therapists or of this team, of this age.

    course: of this course alone, whatever else is said. Empty: it does not matter.
    """

    course: object = None
    therapists: frozenset[object] = frozenset()
    supervisor: object = None
    age_band: str = ""

    def has(self, course: object, therapist: object, team_of: Collection[object], age_band: str) -> bool:
        """team_of: who supervises this therapist today."""
        if self.course is not None:
            return self.course == course
        return (
            (not self.therapists or therapist in self.therapists)
            and (self.supervisor is None or self.supervisor in team_of)
            and self.age_band in ("", age_band)
        )

    @property
    def place(self) -> tuple[bool, bool, bool]:
        """The larger, the more closely it says who is meant."""
        return self.course is not None, bool(self.therapists or self.supervisor), bool(self.age_band)


def due_since(
    timing: Timing,
    *,
    since: date,
    session: Session,
    sessions: Sequence[Session],
    given: Iterable[Session],
    is_last: bool = False,
) -> int | None:
    """The number of the session since which a form is due at `session`; None where it is not.

    since: the first day of the plan. sessions: of the course, in their order, with `session`. given: those at which
    this form was answered or declined; who declines is not asked again before the next occasion. is_last: the course
    ends with this session.

    A form that is due at each session is due at that one alone. All others stay due until they are given: whoever
    missed session 3 is asked at session 4. What fell due before the plan was made is not asked for.
    """
    given = list(given)
    if timing.moment == Moment.ENDING:
        return session.number if is_last and _none_from(session.number, given) else None
    if timing.moment == Moment.INTAKE:
        return _since(sessions[:1], since, session) if not given else None
    match timing.frequency:
        case Frequency.EACH:
            is_given = any(one.number == session.number for one in given)
            return session.number if session.day >= since and not is_given else None
        case Frequency.ONCE:
            is_given = any(one.day >= since for one in given)
            return _since(sessions, since, session) if not is_given else None
        case Frequency.WEEKS:
            again = max((one.day for one in given), default=date.min)
            waits = timedelta(weeks=timing.every) if given else timedelta()
            return _since(sessions, max(since, again + waits), session)
    return _since_number(_last_number(timing, session.number), since, session, sessions, given)


def _since(sessions: Sequence[Session], first_day: date, session: Session) -> int | None:
    """The first of these sessions from that day on, unless it comes after this one."""
    found = next((one for one in sessions if one.day >= first_day), None)
    return found.number if found is not None and found.number <= session.number else None


def _last_number(timing: Timing, number: int) -> int:
    """The last session number up to this one that the timing names; 0 where there is none."""
    if timing.frequency == Frequency.SESSIONS:
        return number - number % timing.every
    return max((one for one in timing.numbers if one <= number), default=0)


def _since_number(
    named: int, since: date, session: Session, sessions: Sequence[Session], given: Collection[Session]
) -> int | None:
    """Session 3 may have been cancelled: then it is the next one that comes."""
    if not named or not _none_from(named, given):
        return None
    comes = next(one for one in sessions if one.number >= named)
    return comes.number if since <= comes.day <= session.day else None


def _none_from(number: int, given: Collection[Session]) -> bool:
    return all(one.number < number for one in given)


def asked_at(
    timing: Timing, *, since: date, sessions: Sequence[Session], ends: bool = False
) -> list[Session]:
    """At which of these sessions the form would have been asked for from this day on, had it been given each time.

    ends: the course ended with the last of them.
    """
    given: list[Session] = []
    for session in sessions:
        is_last = ends and session == sessions[-1]
        is_due = due_since(
            timing, since=since, session=session, sessions=sessions, given=given, is_last=is_last
        )
        if session.day >= since and is_due is not None:
            given.append(session)
    return given
