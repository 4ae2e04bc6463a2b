"""The rules agree with a second, slow implementation on many courses: COURSES=100000 for `make reference`."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from random import Random

import pytest

from alliance.measurement.flag_rules import ALL_RULES, Parameters, findings
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.parameters import ANY_CHANGE, statistical_parameters
from alliance.measurement.repairs import RepairState, ruptures
from alliance.measurement.scoring import at_most
from alliance.measurement.simulate import VARIANTS, simulate_course
from alliance.measurement.trends import CourseSession
from tests.measurement.courses import course
from tests.measurement.reference import raised_at_each, ruptures_of

COURSES = int(os.environ.get("COURSES", "2500"))
FORMER = Parameters(work_list=ANY_CHANGE)
SETTINGS = (
    Parameters(),
    FORMER,
    replace(FORMER, cutoff=340, cutoff_operator="<=", badge_fall=10, recovered_within=25),
    replace(FORMER, sudden_fall=30, decline_fall=10, s0=10, nu0=2, hold_within=20),
    Parameters(s0=12, lasting_limit=90, lasting_fall=5, calls_from_fall=45, quiet_rise=20),
    Parameters(own_range_minimum=2, own_range_window=5, lasting_limit=30, badge_fall=35, sudden_fall=70),
    Parameters(enabled=frozenset("BCEGJ"), item_cutoff=85, missing_of=4, missing_flag=3, nu0=8, s0=15),
    Parameters(flat_top=395, flat_top_sessions=2, item_cutoff=None, recovered_within=0, hold_within=10),
    Parameters(enabled=frozenset("AJL"), nu0=0, own_range_minimum=3),
    statistical_parameters(0, 400),
)
NEAR_LIMITS = (None, 320, 330, 340, 341, 359, 360, 361, 380, 397, 398, 400)


# --- courses -----------------------------------------------------------------------------------------------


def simulated(rng: Random, variant: str) -> list[CourseSession]:
    sessions = list(simulate_course(rng, variant, rng.randint(1, 16), with_events=True).sessions)
    if rng.random() < 0.2:
        change = rng.randrange(len(sessions))
        sessions[change:] = [replace(session, series="another form") for session in sessions[change:]]
    return sessions


def near_limits(rng: Random) -> list[CourseSession]:
    """Few values, so that ties, equal falls and limits hit exactly are common; two forms in turn."""
    totals = [rng.choice(NEAR_LIMITS) for _ in range(rng.randint(1, 14))]
    sessions = course(*(None if total is None else total / 10 for total in totals))
    forms = rng.choice(("a", "a", "ab"))
    return [replace(session, series=rng.choice(forms)) for session in sessions]


def partial(rng: Random) -> list[CourseSession]:
    """Lines left out, seldom or often; lower totals too, so that they are low whatever was left out."""
    answered, variant = rng.choice((0.95, 0.7)), rng.choice(("standard", "low"))
    course = simulate_course(rng, variant, rng.randint(1, 14), therapist=rng.choice((0, -12))).sessions
    return [with_gaps(rng, session, answered) for session in course]


def with_gaps(rng: Random, session: CourseSession, answered: float) -> CourseSession:
    answers = {line: a if rng.random() < answered else None for line, a in session.answers.items()}
    total = None if None in answers.values() else session.total
    late, came = rng.random() < 0.8, rng.random() < 0.9
    return CourseSession(
        session.number,
        answers,
        total,
        attended=came,
        overdue=late and total is None,
        at_most=at_most(get(SESSION_RATING), answers),
    )


KINDS = (*VARIANTS, "near limits", "partial")


def drawn(kind: str, count: int) -> Iterator[tuple[list[CourseSession], Parameters, set[int], bool]]:
    rng = Random(f"reference {kind}")
    for parameters in (p for _, p in zip(range(count), cycle(SETTINGS), strict=False)):
        if kind in VARIANTS:
            sessions = simulated(rng, kind)
        else:
            sessions = near_limits(rng) if kind == "near limits" else partial(rng)
        talked = {session.number for session in sessions if rng.random() < 0.3}
        yield sessions, parameters, talked, rng.random() < 0.3


# --- agreement ---------------------------------------------------------------------------------------------


def agree(sessions: list[CourseSession], p: Parameters, talked: set[int], closed: bool) -> None:
    found = findings(sessions, p)
    expected = raised_at_each(sessions, p)
    assert [[(f.rule, f.is_new, f.on_work_list) for f in each] for each in found] == expected
    low_points = [
        (
            *(r.began, r.ended, r.state.value, r.before, r.goal, r.total, r.previous),
            *(r.lowest, r.latest, r.ratings, r.back_at, r.talked, r.after_talk),
        )
        for r in ruptures(sessions, found, talked, is_closed=closed, parameters=p)
    ]
    assert low_points == ruptures_of(sessions, expected, talked, closed, p)


@pytest.mark.parametrize("kind", KINDS)
def test_courses_agree(kind):
    for sessions, parameters, talked, closed in drawn(kind, -(-COURSES // len(KINDS))):
        agree(sessions, parameters, talked, closed)


@pytest.mark.parametrize("parameters", SETTINGS[:4])
def test_every_total_after_a_steady_start_agrees(parameters):
    for start in (360, 375, 390, 400):
        for total in range(start - 60, start + 1):
            sessions = course(*[start / 10] * 7, total / 10)
            assert letters_of(findings(sessions, parameters)[-1:]) == letters_of_reference(
                sessions, parameters
            )


def letters_of(found):
    return [[f.rule for f in each] for each in found]


def letters_of_reference(sessions, parameters):
    return [[letter for letter, _, _ in raised_at_each(sessions, parameters)[-1]]]


def test_what_is_drawn_holds_everything_there_is_to_compare():
    raised, states = set(), set()
    for kind in KINDS:
        for sessions, p, talked, closed in drawn(kind, 200):
            found = findings(sessions, p)
            raised |= {(f.rule, f.is_new, f.on_work_list) for each in found for f in each}
            states |= {
                r.state.value for r in ruptures(sessions, found, talked, is_closed=closed, parameters=p)
            }
    once = {(letter, new, False) for letter in ALL_RULES for new in (True, False)}
    calls = {(letter, new, True) for letter in "CDEJ" for new in (True, False)}
    assert raised == once | calls | {("A", True, True), ("A", False, True)}
    assert states == set(RepairState)
