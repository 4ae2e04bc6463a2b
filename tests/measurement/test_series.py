"""Ratings of several series in one course: never one usual range, never one fall; a gap stays a gap."""

from dataclasses import replace

import pytest

from alliance.measurement.flag_rules import findings
from alliance.measurement.parameters import Parameters
from tests.measurement.courses import course, letters


def of_series(series: str, *totals: float | None):
    return [one if one.total is None else replace(one, series=series) for one in course(*totals)]


def one_after_another(*parts):
    sessions = [session for part in parts for session in part]
    return [replace(session, number=number) for number, session in enumerate(sessions, start=1)]


# For each rule: ratings before, and the one at which it is raised where all are of one series.
SAME = {
    "C": ((40, 36), 1),
    "D": ((39.5, 38.5, 37.5, 36.5), 3),
    "E": ((40, 40, 40, 40, 36), 4),
    "F": ((40, 40, 40, 40), 3),
}


@pytest.mark.parametrize("rule", SAME)
@pytest.mark.parametrize("other", ["srs/1/2026", "srs/1/2024", "session-rating/2/"])
def test_a_rule_about_change_looks_at_its_own_series_only(rule, other):
    totals, at = SAME[rule]
    one = of_series("srs/1/", *totals)
    assert rule in letters(one)[at].split()
    mixed = [replace(session, series=other) if place < at else session for place, session in enumerate(one)]
    assert rule not in letters(mixed)[at].split()


def test_a_level_is_new_in_each_series():
    sessions = one_after_another(of_series("one", 34, 34), of_series("two", 34, 34))
    assert letters(sessions) == ["A+", "A", "A+", "A"]


def test_a_series_that_comes_back_goes_on_where_it_was():
    sessions = one_after_another(of_series("one", 40, 40, 40, 40), of_series("two", 40), of_series("one", 36))
    assert "C" in letters(sessions)[-1].split()
    assert "E" in letters(sessions)[-1].split()


def test_the_fall_of_a_continuing_level_is_counted_in_its_own_series():
    sessions = one_after_another(of_series("one", 35), of_series("two", 30, 29))
    levels = [one for each in findings(sessions, Parameters()) for one in each if one.rule == "A"]
    assert [one.evidence["fall_since_new"] for one in levels] == [0, 0, 10]


def test_a_gap_is_counted_across_series():
    sessions = one_after_another(of_series("one", 40, None), of_series("two", 40), of_series("two", None))
    assert letters(sessions)[-1] == "G"
    assert letters(one_after_another(of_series("one", 40, None), of_series("two", 40, 40)))[-1] == ""


def test_each_session_may_have_its_own_parameters():
    sessions = one_after_another(of_series("one", 35), of_series("two", 35))
    own = [Parameters(), Parameters(cutoff=340, item_cutoff=None)]
    found = findings(sessions, Parameters(), own)
    assert [[one.rule for one in each] for each in found] == [["A"], []]


def test_rules_that_a_session_does_not_use_stay_silent_and_gaps_do_not():
    sessions = of_series("one", 30, None, None)
    own = [Parameters(enabled=frozenset())] * 3
    assert [[one.rule for one in each] for each in findings(sessions, Parameters(), own)] == [[], [], ["G"]]


def test_one_series_under_any_name_is_judged_alike():
    totals = (40, 39, 38, 36, None, 30, 30, 40)
    assert letters(of_series("one", *totals)) == letters(course(*totals))
