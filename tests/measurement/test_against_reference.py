"""The rules written a second time, slowly and straight from the handbook, in points and fractions.

Nothing here is shared with the code under test but the shape of a course.
"""

from fractions import Fraction
from itertools import combinations
from random import Random

import pytest

from alliance.measurement.simulate import VARIANTS, simulate_course
from alliance.measurement.trends import CourseSession
from tests.measurement.courses import course, letters

T = {7: "2.364624", 8: "2.306004", 9: "2.262157", 10: "2.228139", 11: "2.200985"}


def reference(sessions: list[CourseSession]) -> list[str]:
    return [" ".join(flags(sessions[: index + 1])) for index in range(len(sessions))]


def flags(seen: list[CourseSession]) -> list[str]:
    now = seen[-1]
    x = [Fraction(s.total, 10) for s in seen if s.total is not None]
    raised = []
    below = now.total is not None and x[-1] < 36
    if below:
        raised.append("A" if len(x) > 1 and x[-2] < 36 else "A+")
    lines = [Fraction(a, 10) for a in (now.answers or {}).values() if a is not None]
    if not below and any(line < 9 for line in lines):
        raised.append("B")
    if now.total is not None:
        raised += change_flags(x)
    if now.attended and missing(now) and sum(map(missing, [s for s in seen if s.attended][-3:])) >= 2:
        raised.append("G")
    return raised


def change_flags(x: list[Fraction]) -> list[str]:
    tests = {
        "C": len(x) > 1 and x[-2] - x[-1] >= 4,
        "D": declines(x[-5:], 5, -8) or declines(x[-4:], 4, -6),
        "E": len(x) > 4 and below_own_range(x[-9:-1], x[-1]),
        "F": len(x) > 3 and all(total >= Fraction("39.8") for total in x[-4:]),
    }
    return [letter for letter, raised in tests.items() if raised]


def declines(window: list[Fraction], length: int, limit: int) -> bool:
    if len(window) < length:
        return False
    s = sum((b > a) - (b < a) for a, b in combinations(window, 2))
    return s <= limit and window[0] - window[-1] >= 2


def below_own_range(earlier: list[Fraction], now: Fraction) -> bool:
    n = len(earlier)
    m = sum(earlier) / n
    s2 = sum((total - m) ** 2 for total in earlier) / (n - 1)
    sp2 = (4 * Fraction(2) ** 2 + (n - 1) * s2) / (n + 3)
    # x < m - t·sp·sqrt(1 + 1/n), squared where both sides are positive: exact.
    return now < m and (m - now) ** 2 > Fraction(T[n + 3]) ** 2 * sp2 * (1 + Fraction(1, n))


def missing(session: CourseSession) -> bool:
    return session.total is None and session.overdue


@pytest.mark.parametrize("variant", VARIANTS)
def test_simulated_courses_agree(variant):
    rng = Random(f"reference {variant}")
    for _ in range(600):
        sessions = list(simulate_course(rng, variant, 12, with_events=True).sessions)
        assert letters(sessions) == reference(sessions)


def test_courses_near_the_limits_agree():
    """Few values, so that ties, equal falls and limits hit exactly are common."""
    rng = Random("near the limits")
    for _ in range(1500):
        totals = [rng.choice([None, 34.0, 35.9, 36.0, 36.1, 38.0, 39.7, 39.8, 40.0]) for _ in range(12)]
        sessions = course(*totals)
        assert letters(sessions) == reference(sessions)


def test_every_total_after_a_steady_start_agrees():
    for start in (360, 375, 390, 400):
        for total in range(start - 60, start + 1):
            sessions = course(*[start / 10] * 5, total / 10)
            assert letters(sessions) == reference(sessions)


def test_partial_ratings_agree():
    rng = Random("partial")
    for _ in range(500):
        sessions = [with_gaps(rng, s) for s in simulate_course(rng, sessions=10).sessions]
        assert letters(sessions) == reference(sessions)


def with_gaps(rng: Random, session: CourseSession) -> CourseSession:
    answers = {line: a if rng.random() < 0.9 else None for line, a in session.answers.items()}
    total = None if None in answers.values() else session.total
    late, came = rng.random() < 0.8, rng.random() < 0.9
    return CourseSession(session.number, answers, total, attended=came, overdue=late and total is None)
