"""Which session a form that is handed over now is about: from the times of the sessions alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

# A session that is planned for a quarter past counts as on at the full hour: people begin early, and the plan is
# only a plan. One that begins later than that is still to come, and no form is about it.
MAY_BEGIN_EARLY = timedelta(minutes=15)
# Nor is one still to come for which the client was given a form in the room: it has begun, before its time. A form
# that was given longer before the planned start may have been about something else, and the page asks.
MAY_BEGIN_WITH_A_FORM = timedelta(hours=1)
# So long after its end it is the one that was just talked about, also where the next one is about to begin.
JUST_ENDED = timedelta(hours=1)
SHORTEST = timedelta(minutes=1)


class Times(NamedTuple):
    """From when to when one session lasts, by the plan. given: when the client was given the first form for it, in the
    room; None where none was."""

    starts: datetime
    ends: datetime
    given: datetime | None = None


def still_to_come(starts: datetime, now: datetime, given: datetime | None = None) -> bool:
    """Whether a session that starts then cannot be the one that is on. given: as in `Times`."""
    return starts > now + MAY_BEGIN_EARLY and not _began_with_a_form(starts, now, given)


def _began_with_a_form(starts: datetime, now: datetime, given: datetime | None) -> bool:
    return given is not None and given <= now and given + MAY_BEGIN_WITH_A_FORM >= starts


def is_on(starts: datetime, ends: datetime, now: datetime) -> bool:
    """Whether the session is on by the plan, or about to begin."""
    return not still_to_come(starts, now) and now < ends


def most_likely(sessions: Sequence[Times], now: datetime) -> int | None:
    """The place of the session that a form handed over now is about; None where there is none.

    The one that is on; else the one that just ended; else one that is about to begin, or began early with a form; else
    the one that ended last. Of two that are on, the one that began last. One still to come is never the answer.
    """
    ranked = [
        (_likeliness(one, now), place)
        for place, one in enumerate(sessions)
        if not still_to_come(one.starts, now, one.given)
    ]
    return max(ranked)[1] if ranked else None


def _likeliness(one: Times, now: datetime) -> tuple[int, float]:
    if one.starts <= now < one.ends:
        return 3, one.starts.timestamp()
    if one.starts > now:
        return 1, -one.starts.timestamp()
    return (2 if now - one.ends <= JUST_ENDED else 0), one.ends.timestamp()


def start_of_new(before: Sequence[Times], now: datetime, length: timedelta) -> datetime:
    """When a session that ends now began, so that it comes after those that began `before` it.

    `length` before now, unless another one was on then: after the end of that one, or, where it lasts longer than now
    (it ended before its time), after its start. So it takes the next number and not one in between.
    """
    start, latest = now - length, now - SHORTEST
    for one in before:
        if one.starts <= now:
            start = max(start, one.ends if one.ends <= latest else one.starts + SHORTEST)
    return min(start, latest)
