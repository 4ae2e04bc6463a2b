"""The flags of one course with what became of each: talked about, put off, quiet, or calling for a talk."""

from collections.abc import Mapping
from datetime import datetime

from alliance.measurement.put_off import put_off_until
from alliance.measurement.standing import FlagKey, flag_standings
from sessions_app.flags import facts
from sessions_app.flags.facts import CourseFacts
from sessions_app.flags.models import Flag
from sessions_app.flags.turns import turns


def read(episode: int, now: datetime) -> list[Flag]:
    """The standing flags of an episode as rows, in the order of the sessions; six queries."""
    rows = Flag.objects.standing().filter(session__episode=episode).select_related("session")
    by_key = {FlagKey(row.session_id, row.instrument, row.rule): row for row in rows}
    return answered(by_key, facts.read([episode])[episode], now)


def answered(rows: Mapping[FlagKey, Flag], found: CourseFacts, now: datetime) -> list[Flag]:
    """Those of `rows` that stand, each with what became of it."""
    turn_of = turns(found)
    flags = []
    for one in flag_standings(found.events()):
        if row := rows.get(one.flag.key):
            row.turn = turn_of[one.flag.key]
            row.is_discussed, row.is_settled = one.is_discussed, one.is_settled
            row.is_not_needed, row.is_same_fall = one.is_not_needed, one.is_same_fall
            row.is_put_off = one.is_put_off(now)
            flags.append(row)
    return flags


def calling(episode: int, now: datetime) -> list[Flag]:
    """Those of an episode that call for a talk."""
    return [flag for flag in read(episode, now) if flag.calls]


def holding(found: CourseFacts, now: datetime) -> set[int]:
    """The row numbers of the deferrals that still put off."""
    return {pk for pk, until in ends_of_deferrals(found).items() if now < until}


def ends_of_deferrals(found: CourseFacts) -> dict[int, datetime]:
    """{row number of a deferral that only puts off: when it ends}."""
    events = found.events()
    pairs = zip(found.deferrals, events.deferrals, strict=True)
    return {row.pk: put_off_until(one, events.visits) for row, one in pairs if one.is_later}
