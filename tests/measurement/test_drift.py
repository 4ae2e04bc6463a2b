"""Rule H at its boundaries: a weighted mean of the last ratings against the usual level before them."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import ALL_RULES, Parameters, findings, is_work_list, question, sentence
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.parameters import USUAL_RULES, statistical_parameters
from alliance.measurement.trends import Drift, drift
from tests.measurement.courses import course, last, letters, rated

ONLY_H = Parameters(enabled=frozenset("H"))


@pytest.mark.parametrize(
    ("before", "latest", "found"),
    [
        # m 40, sp² 16/7: z must be below 38.285.
        ((40,) * 4, (37.3, 37.3, 37.3), True),
        ((40,) * 4, (37.4, 37.4, 37.4), False),
        # The latest weighs .3, the one before .21, the one before that .147.
        ((40,) * 4, (40, 40, 34.2), True),
        ((40,) * 4, (40, 40, 34.3), False),
        ((40,) * 4, (40, 31.8, 40), True),
        ((40,) * 4, (40, 31.9, 40), False),
        ((40,) * 4, (28.3, 40, 40), True),
        ((40,) * 4, (28.4, 40, 40), False),
        ((40,) * 3, (30, 30, 30), False),  # six ratings are too few
        ((40,) * 8, (37.5, 37.5, 37.5), True),  # more ratings before: narrower
        ((36,) * 4, (40, 40, 40), False),  # a rise is none
        ((40, 36, 40, 36), (37, 36, 35), False),  # a client whose ratings vary: wider
    ],
)
def test_at_the_limit(before, latest, found):
    assert letters(course(*before, *latest), ONLY_H)[-1] == ("H" if found else "")


@pytest.mark.parametrize(("total", "found"), [(37.3, False), (37.2, True)])
def test_exactly_at_the_limit_is_not_below_it(total, found):
    # One degree of freedom of 2.0: sp is 1.0 and, all weight on the latest, the limit 40 - 2.7 itself.
    p = replace(ONLY_H, nu0=1, drift_weight=10, drift_sessions=1)
    assert bool(last(course(*[40] * 4, total), "H", p)) == found


def test_it_waits_for_the_seventh_rating_and_skips_gaps():
    assert letters(course(40, None, 40, 40, None, 40, 34, 34, None, 34), ONLY_H) == [""] * 9 + ["H"]


def test_only_the_eight_before_the_last_three_count():
    assert letters(course(0, *[40] * 8, 37.5, 37.5, 37.5), ONLY_H)[-1] == "H"
    assert letters(course(0, *[40] * 7, 37.5, 37.5, 37.5), ONLY_H)[-1] == ""


def test_what_it_found():
    found = last(course(40, 39.9, 40, 40, 37, 36.5, 36), "H", ONLY_H)
    assert found.evidence == {"latest": 3, "recent": 365, "earlier": 4, "before": 400, "line": "relationship"}
    assert drift([400, 399, 400, 400, 370, 365, 360], ONLY_H) == Drift(3, 365, 4, 400)
    assert sentence(found, get(SESSION_RATING)) == (
        "A slow drift: the last three ratings are lower, on average 36.5, than the four before them, on average 40."
    )


def test_its_line_is_the_one_that_fell_over_the_drift():
    sessions = [rated(n, 10, 10, 9.5, 9.5) for n in range(1, 5)]
    sessions += [rated(5, 10, 7, 9.5, 9.5), rated(6, 10, 6.5, 9.5, 9.5), rated(7, 9, 6.6, 9.5, 9.5)]
    found = last(sessions, "H", ONLY_H)
    assert found.evidence["line"] == "goals"
    assert question(found) == question("H", "goals")


def test_it_is_off_by_default():
    assert ALL_RULES - {"H"} == USUAL_RULES
    assert Parameters().enabled == statistical_parameters(0, 400).enabled | {"A", "B"} == USUAL_RULES
    sessions = course(*[40] * 4, 37, 37, 37)
    assert letters(sessions)[-1] == ""
    assert letters(sessions, Parameters(enabled=ALL_RULES))[-1] == "H"


def test_it_calls_for_a_talk():
    assert is_work_list(last(course(*[40] * 4, 37, 37, 37), "H", ONLY_H))


@pytest.mark.parametrize(
    ("settings", "found"),
    [({"drift_limit": 30}, False), ({"drift_limit": 25}, True), ({"drift_weight": 1}, False), ({"s0": 30}, False),
     ({"drift_weight": 10, "drift_limit": 15}, True), ({"drift_sessions": 4}, False)],
)  # fmt: skip
def test_it_follows_its_settings(settings, found):
    assert bool(last(course(*[40] * 4, 37.3, 37.3, 37.3), "H", replace(ONLY_H, **settings))) == found


@pytest.mark.parametrize(
    "wrong", [{"drift_weight": 0}, {"drift_weight": 11}, {"drift_limit": 0}, {"drift_sessions": 0}]
)
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match="drift"):
        Parameters(**wrong)


@given(
    st.lists(st.integers(300, 400), min_size=5, max_size=14),
    st.integers(1, 10),
    st.integers(1, 40),
    st.integers(1, 5),
)
def test_whole_numbers_say_what_fractions_say(totals, weight, limit, sessions):
    p = replace(ONLY_H, drift_weight=weight, drift_limit=limit, drift_sessions=sessions)
    before, latest = totals[:-sessions][-8:], totals[-sessions:]
    expected = len(before) >= 4 and is_lower(before, latest, Fraction(weight, 10), Fraction(limit, 10))
    assert (drift(totals, p) is not None) == expected


def is_lower(before, latest, weight, limit):
    n = len(before)
    z = m = Fraction(sum(before), n)
    for total in latest:
        z = weight * total + (1 - weight) * z
    variance = (4 * Fraction(20) ** 2 + sum((x - m) ** 2 for x in before)) / (n + 3) * weight / (2 - weight)
    return z < m and (m - z) ** 2 > limit**2 * variance


@given(st.lists(st.integers(0, 399), min_size=7, max_size=12))
def test_one_tenth_higher_never_adds_a_drift(totals):
    higher = [*totals[:-1], totals[-1] + 1]
    assert drift(higher, ONLY_H) is None or drift(totals, ONLY_H) is not None


@given(st.lists(st.integers(0, 400), max_size=14), st.integers(0, 14))
def test_the_past_is_never_judged_again(totals, cut):
    sessions = course(*(total / 10 for total in totals))
    rules = Parameters(enabled=ALL_RULES)
    assert findings(sessions, rules)[:cut] == findings(sessions[:cut], rules)
