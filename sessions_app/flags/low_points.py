"""The low points of stored courses: concluded beside the flags, kept in the standing, read back by the lists."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alliance.measurement.flag_rules import Finding
from alliance.measurement.own_level import level_in_lists
from alliance.measurement.repairs import GOING_ON, STAYS_LOW, RepairState, Rupture, returned, ruptures
from alliance.measurement.standing import FlagKey
from alliance.measurement.trends import CourseSession
from sessions_app.flags.expected_flags import ExpectedFlag, HeldSession
from sessions_app.instruments.rule_settings import RuleSettings


def of_course(
    held: Sequence[HeldSession],
    expected: Mapping[FlagKey, ExpectedFlag],
    rules: RuleSettings,
    talked: Collection[int],
) -> list[Rupture]:
    """The low points of a course that is not closed; talked: numbers of the sessions talked about."""
    rated = [one for one in held if one.session.total is not None]
    if not rated:
        return []
    found: dict[int, list[Finding]] = defaultdict(list)
    for key, flag in expected.items():
        found[key.session].append(Finding(flag.key.rule, flag.is_new, flag.on_work_list, flag.evidence))
    return ruptures(
        [one.session for one in held],
        [found.get(one.pk, []) for one in held],
        talked,
        is_closed=False,
        parameters=rules.parameters(rated[-1].instrument),
    )


def returns(low_points: Iterable[Rupture], held: Sequence[HeldSession]) -> Iterator[tuple[int, bool]]:
    """(number of the session with which it began, whether a rating was back by the third), where that is known."""
    sessions = [one.session for one in held]
    for rupture in low_points:
        back = returned(rupture, sessions)
        if back is not None:
            yield rupture.began, back


# --- In the standing -----------------------------------------------------------------------------


def in_standing(
    low_points: Sequence[Rupture], held: Sequence[HeldSession], rules: RuleSettings
) -> dict[str, Any]:
    """What `EpisodeStanding.course` keeps of the last low point and of the last complete rating; tenths."""
    complete = [one for one in held if one.session.total is not None]
    rated = [one.session for one in complete]
    last = low_points[-1] if low_points else None
    level = None
    if complete:
        parameters = rules.parameters(complete[-1].instrument, complete[-1].language)
        level = level_in_lists(rated, last if last and last.goes_on else None, parameters)
    total = rated[-1].total if rated else None
    compared = last.goal if last and last.goes_on and level is None else level
    return {
        "low_point": _stored(last, held) if last else None,
        "level": level,
        "below": None if total is None or compared is None else compared - total,
        "lowest": _lowest(rated[-1]) if rated else None,
    }


def _stored(last: Rupture, held: Sequence[HeldSession]) -> dict[str, Any]:
    held_at = {one.session.number: one.held_at.isoformat() for one in held}
    return {
        "state": last.state.value,
        "began": [last.began, held_at[last.began]],
        "ended": last.ended,
        "is_low_start": last.is_low_start,
        "start": last.total,
        "lowest": last.lowest,
        "goal": last.goal,
        "ratings": last.ratings,
        "back": None if last.back_at is None else [last.back_at, held_at[last.back_at]],
        "talked": list(last.talked),
        "after_talk": last.after_talk,
    }


def _lowest(session: CourseSession) -> list[Any] | None:
    """[the lines with the lowest mark, that mark]; None where lines are not known, or none is lower than another."""
    answers = {line: mark for line, mark in (session.answers or {}).items() if mark is not None}
    if not answers or min(answers.values()) == max(answers.values()):
        return None
    lowest = min(answers.values())
    return [[line for line, mark in answers.items() if mark == lowest], lowest]


@dataclass(frozen=True, slots=True)
class LowPoint:
    """The last low point of a course, as its standing keeps it. Sessions by their number, totals in tenths.

    began_at, back_at: when that session was. back: the first rating that was back. ratings: how many complete ones
    came since it began. after_talk: how many after the last session of it that was talked about.
    """

    state: RepairState
    began: int
    began_at: datetime
    ended: int | None
    is_low_start: bool
    start: int
    lowest: int
    goal: int
    ratings: int
    back: int | None
    back_at: datetime | None
    talked: tuple[int, ...]
    after_talk: int

    @property
    def goes_on(self) -> bool:
        return self.state in GOING_ON

    @property
    def stays_low_after_talk(self) -> bool:
        """A session of it was talked about, and the ratings since are no way back."""
        return self.state in STAYS_LOW and self.after_talk > 0


def read(course: Mapping[str, Any]) -> LowPoint | None:
    """The last low point that `EpisodeStanding.course` holds."""
    stored = course["low_point"]
    if stored is None:
        return None
    values = dict(stored)
    began, began_at = values.pop("began")
    back, back_at = values.pop("back") or (None, None)
    state, talked = RepairState(values.pop("state")), tuple(values.pop("talked"))
    return LowPoint(
        state=state,
        began=began,
        began_at=datetime.fromisoformat(began_at),
        back=back,
        back_at=datetime.fromisoformat(back_at) if back_at else None,
        talked=talked,
        **values,
    )
