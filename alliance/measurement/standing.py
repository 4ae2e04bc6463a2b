"""The standing of one course: what calls for a talk and since when, what is put off, what is quiet and why.

Plain Python. It knows no clock: what time changes is given as the moment at which it changes, so that a
conclusion stays true until the next write. Totals in whole tenths; numbers order the sessions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from alliance.measurement.overdue import overdue_from
from alliance.measurement.put_off import put_off_until

SAME_FALL = ("A", "D", "E", "J")  # say again that a total is low; C says that it fell again, and always calls
FALLS = frozenset({*SAME_FALL, "C"})
SAME_FALL_WITHIN = 4  # sessions: as many as a usual range needs
POINTS = 12  # of a sparkline


class FlagKey(NamedTuple):
    """What makes a flag one and the same; session: any identifier that does not change with the numbering."""

    session: int
    instrument: str
    rule: str


@dataclass(frozen=True, slots=True)
class RaisedFlag:
    """One flag that stands. total: of its rating, in tenths; of a partial rating the most favourable one where
    the rule speaks of it, else None, as at rule G.

    received_at: when that rating came. corrects: it replaced another one, so that nobody talked about it yet.
    imported: that rating was given in another system.
    badge_fall, sudden_fall: the parameters that tell one fall from another, of the rules that raised it.
    """

    key: FlagKey
    number: int
    on_work_list: bool
    raised_at: datetime
    total: int | None
    received_at: datetime | None
    corrects: bool
    badge_fall: int
    sudden_fall: int
    imported: bool = False

    @property
    def rule(self) -> str:
        return self.key.rule


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that stands. number: of the session whose rating was talked about."""

    number: int
    at: datetime
    about: frozenset[FlagKey]

    @property
    def instruments(self) -> frozenset[str]:
        return frozenset(key.instrument for key in self.about)


@dataclass(frozen=True, slots=True)
class Deferral:
    """A decision, instead of a talk, that stands. is_later: put off; else no talk is needed. day: of the decision."""

    is_later: bool
    at: datetime
    day: date
    about: frozenset[FlagKey]


@dataclass(frozen=True, slots=True)
class Visit:
    """One therapy session. comes: planned or attended. missed: the client did not come.

    day, day_begins: its day at the clinic, and the first moment of that day. due_day: on which its rating is overdue.
    total: of its complete rating, in tenths. series: of that rating (`CourseSession.series`).
    looked: whether what earlier ratings say was looked at before it; None: not known, or there was nothing to see.
    """

    number: int
    held_at: datetime
    ends_at: datetime
    day: date
    day_begins: datetime
    due_day: date
    comes: bool
    attended: bool
    missed: bool = False
    total: int | None = None
    series: str = ""
    looked: bool | None = None

    @property
    def overdue_from(self) -> datetime:
        return overdue_from(self.ends_at)


@dataclass(frozen=True, slots=True)
class CourseEvents:
    """All that happened in one course. Visits and flags in the order of the numbers."""

    visits: Sequence[Visit] = ()
    flags: Sequence[RaisedFlag] = ()
    talks: Sequence[Talk] = ()
    deferrals: Sequence[Deferral] = ()

    def until(self, moment: datetime) -> "CourseEvents":
        """What people and rules had said by then; the sessions and ratings are those of now."""
        return replace(
            self,
            flags=[flag for flag in self.flags if flag.raised_at <= moment],
            talks=[talk for talk in self.talks if talk.at <= moment],
            deferrals=[deferral for deferral in self.deferrals if deferral.at <= moment],
        )


@dataclass(frozen=True, slots=True)
class FlagStanding:
    """What became of one flag.

    is_discussed: a conversation was noted about it. is_settled: about it, about its rating before it came, or
    about a later session; or it is of an imported rating and a later one followed. put_off_until: the moment at
    which a deferral ends. is_same_fall: the fall it tells of was talked about before (docs/adr/0014).
    """

    flag: RaisedFlag
    is_discussed: bool
    is_settled: bool
    is_not_needed: bool
    put_off_until: datetime | None
    is_same_fall: bool

    @property
    def is_open(self) -> bool:
        """Not talked about, and nobody decided that no talk is needed. What is put off is open."""
        return not (self.is_settled or self.is_not_needed)

    @property
    def may_call(self) -> bool:
        """Whether it calls for a talk as soon as it is not put off."""
        return self.is_open and self.flag.on_work_list and not self.is_same_fall

    def is_put_off(self, now: datetime) -> bool:
        return self.put_off_until is not None and now < self.put_off_until

    def calls(self, now: datetime) -> bool:
        return self.may_call and not self.is_put_off(now)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a course means until the next write.

    flags: of every flag that stands. points: the totals of the last attended sessions, oldest first, None where
    there is no complete rating.
    overdue: {number of an attended session without a complete rating: when the rating is overdue}.
    talked_through: the highest number of a session that was talked about; 0 where none was.
    """

    flags: tuple[FlagStanding, ...] = ()
    points: tuple[int | None, ...] = ()
    last_attended: int | None = None
    last_rated: int | None = None
    last_total: int | None = None
    overdue: Mapping[int, datetime] = field(default_factory=dict)
    talked_through: int = 0

    def calling(self, now: datetime) -> list[FlagStanding]:
        return [one for one in self.flags if one.calls(now)]


def standing(events: CourseEvents) -> Standing:
    """The standing of a course, concluded from all its events."""
    attended = [visit for visit in events.visits if visit.attended]
    rated = [visit for visit in attended if visit.total is not None]
    last = rated[-1] if rated else None
    return Standing(
        flags=flag_standings(events),
        points=tuple(visit.total for visit in attended[-POINTS:]),
        last_attended=attended[-1].number if attended else None,
        last_rated=last.number if last else None,
        last_total=last.total if last else None,
        overdue={visit.number: visit.overdue_from for visit in attended if visit.total is None},
        talked_through=max((talk.number for talk in events.talks), default=0),
    )


def flag_standings(events: CourseEvents) -> tuple[FlagStanding, ...]:
    """What became of each flag that stands, in the order given."""
    not_needed: dict[FlagKey, list[datetime]] = {}
    put_off: dict[FlagKey, datetime] = {}
    for deferral in events.deferrals:
        until = put_off_until(deferral, events.visits) if deferral.is_later else deferral.at
        for key in deferral.about:
            if not deferral.is_later:
                not_needed.setdefault(key, []).append(deferral.at)
            elif until > put_off.get(key, deferral.at):
                put_off[key] = until
    talked: dict[FlagKey, list[datetime]] = {}
    for talk in events.talks:
        for key in talk.about:
            talked.setdefault(key, []).append(talk.at)
    answered = {key: [*talked.get(key, ()), *not_needed.get(key, ())] for key in {*talked, *not_needed}}
    totals = [(visit.number, visit.total) for visit in events.visits if visit.total is not None]
    falls = [flag for flag in events.flags if flag.rule in FALLS and flag.key in answered]
    return tuple(
        FlagStanding(
            flag=flag,
            is_discussed=flag.key in talked,
            is_settled=flag.key in talked or _is_past(flag, totals) or _is_settled(flag, events.talks),
            is_not_needed=flag.key in not_needed,
            put_off_until=put_off.get(flag.key),
            is_same_fall=_is_same_fall(flag, falls, answered, totals),
        )
        for flag in events.flags
    )


def _is_past(flag: RaisedFlag, totals: Sequence[tuple[int, int]]) -> bool:
    """Whether its rating was imported and is not the latest one (docs/adr/0057).

    What was said about it then, and whether, stands in the other system: years of history would all call today.
    """
    return flag.imported and bool(totals) and flag.number < totals[-1][0]


def _is_settled(flag: RaisedFlag, talks: Iterable[Talk]) -> bool:
    """A later session was talked about, or its own rating before this flag was raised of it.

    Under other rules more may be said of a rating that was talked about. A correction was not talked about.
    """
    for talk in talks:
        if talk.number > flag.number:
            return True
        if talk.number != flag.number or flag.corrects or flag.received_at is None:
            continue
        if flag.key.instrument in talk.instruments and flag.received_at <= talk.at < flag.raised_at:
            return True
    return False


def _is_same_fall(
    flag: RaisedFlag,
    falls: Iterable[RaisedFlag],
    answered: Mapping[FlagKey, Sequence[datetime]],
    totals: Sequence[tuple[int, int]],
) -> bool:
    """Whether an earlier fall of the last four sessions was answered before this flag came, and this is that fall.

    It is where the total is not `badge_fall` lower than then, and was not up by `sudden_fall` in between.
    """
    if not flag.on_work_list or flag.rule not in SAME_FALL or flag.total is None:
        return False
    before = [
        (fall.number, fall.total)
        for fall in falls
        if fall.total is not None
        and fall.key.instrument == flag.key.instrument
        and min(answered[fall.key]) <= flag.raised_at
    ]
    return is_same_fall(flag.number, flag.total, before, totals, (flag.badge_fall, flag.sudden_fall))


def is_same_fall(
    number: int,
    total: int,
    answered: Iterable[tuple[int, int]],
    totals: Sequence[tuple[int, int]],
    limits: tuple[int, int],
) -> bool:
    """The same of plain numbers. answered: (number, total) of falls; totals: of all; limits: further down, up again."""
    badge_fall, sudden_fall = limits
    return any(
        number - SAME_FALL_WITHIN <= place < number
        and then < total + badge_fall
        and not any(up >= then + sudden_fall for between, up in totals if place < between < number)
        for place, then in answered
    )
