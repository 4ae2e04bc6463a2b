"""The sentence that answers "is it falling?": each answer at its boundary, and nothing that is not known."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.course_answer import CourseAnswer, Kind, answer
from alliance.measurement.flag_rules import Finding, findings
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import ruptures
from tests.measurement.courses import course

P = Parameters()
LAST = date(2026, 9, 28)
LASTING_FALL = Finding("J", is_new=True, on_work_list=True, evidence={})


def of(*totals, raised=None, parameters=P, weeks=1, last=LAST) -> CourseAnswer:
    """The answer of a course written in points; `raised`: findings at the last session instead of the rules'."""
    sessions = course(*totals)
    found = findings(sessions, parameters)
    days = [last - timedelta(weeks=weeks * (len(sessions) - 1 - place)) for place in range(len(sessions))]
    lows = ruptures(sessions, found, (), is_closed=False, parameters=parameters)
    if raised is not None:
        found[-1] = tuple(raised)
    going_on = next((one for one in reversed(lows) if one.ended is None), None)
    return answer(sessions, found, days, parameters, going_on)


@pytest.mark.parametrize(
    ("totals", "sentence"),
    [
        ((), "No complete rating yet."),
        ((None,), "No complete rating yet."),
        ((38,), "Too few ratings to say."),
        ((34,), "Too few ratings to say. The last one is below the cutoff."),
        ((38, 38, 38, 38), "Too few ratings to say."),
        ((38, 38, 38, 38, 38), "Steady at this client's own level."),
        ((34, 34, 34, 34, 34, 34), "Steady at this client's own level, which is below the cutoff."),
        (
            (37, 37, 37, 37, 37, 35.9),
            "Steady at this client's own level. The last rating is below the cutoff.",
        ),
    ],
)
def test_no_more_than_the_ratings_say(totals, sentence):
    assert of(*totals).sentence == sentence


@pytest.mark.parametrize(
    ("last", "kind", "sentence"),
    [
        (34.1, Kind.TOO_FEW, "Too few ratings to say. The last one is below the cutoff."),
        (
            34,
            Kind.LOWER_ONCE,
            "Lower at the last rating: 4.0 points below the one before. One rating cannot say whether it lasts.",
        ),
    ],
)
def test_one_low_rating_is_not_called_falling(last, kind, sentence):
    said = of(38, 38.1, 38, last)
    assert (said.kind, said.sentence) == (kind, sentence)
    assert said.distance == ""


def test_below_the_usual_range_by_one_rating():
    said = of(40, 40, 40, 40, 40, 40, 40, 40, 36.4, raised=[replace(LASTING_FALL, rule="E")])
    assert said.kind == Kind.LOWER_ONCE
    assert said.sentence.startswith("Lower at the last rating: 36.4 is below this client's usual range.")


def test_a_lasting_fall_is_told_with_its_size_and_the_month_of_the_level():
    said = of(*[38] * 4, 25, 25, 25, raised=[LASTING_FALL])
    assert said.kind == Kind.FALLING
    where = "13.0 points below this client's level of August"
    assert said.sentence == f"Falling: the last 3 ratings are on average {where}."
    assert said.distance == where


@pytest.mark.parametrize(
    ("last", "weeks", "months"),
    [
        (date(2026, 8, 31), 0, "August"),
        (date(2026, 1, 20), 1, "December 2025"),
        (date(2026, 2, 5), 1, "December 2025 to January 2026"),
        (date(2026, 3, 20), 5, "August to December 2025"),
    ],
)
def test_the_months_have_their_year_where_it_is_another_one(last, weeks, months):
    silent = replace(P, enabled=frozenset("G"))  # no low point began earlier, whose level it would be
    said = of(*[38] * 4, 33, 33, 33, raised=[LASTING_FALL], last=last, weeks=weeks, parameters=silent)
    assert said.sentence.endswith(f"level of {months}.")


def test_a_whole_number_of_points_has_its_decimal():
    said = of(*[38] * 8, 37, 37, 37, raised=[LASTING_FALL])
    assert said.distance == "1.0 points below this client's level of July to September"


def test_a_decline_too_small_for_the_level_is_told_from_its_window():
    said = of(36.2, 36.5, 38.9, 38.4, 37.4, 36.8)
    assert said.sentence == "Falling: from 38.9 to 36.8 over the last 4 ratings."


def test_a_partial_rating_speaks_where_it_is_certain_and_names_no_size():
    partial = course(38, 38, 38, 38, 38)
    partial.append(replace(partial[-1], number=6, total=None, answers={"relationship": 10, "goals": None}))
    days = [LAST] * 6
    found = [*findings(partial[:5], P), (LASTING_FALL,)]
    assert answer(partial, found, days, P).sentence == "Falling, whatever was left out at the last rating."
    found[-1] = (replace(LASTING_FALL, rule="C"),)
    assert answer(partial, found, days, P).sentence.startswith(
        "Lower at the last rating, whatever was left out."
    )
    found[-1] = ()
    assert answer(partial, found, days, P).kind == Kind.STEADY


def test_what_stays_low_is_not_called_steady_though_it_is_by_now_the_own_level():
    said = of(*[38] * 5, 33, *[33.2] * 12)
    assert said.kind == Kind.STAYING_LOW
    # A lasting fall calls again after five ratings, and a call within a low point begins another.
    where = "3.3 points below this client's level of June to July"
    assert said.sentence == f"Staying low: the last 3 ratings are on average {where}."
    assert of(*[38] * 5, 33, 33.2, 38, *[38] * 3).kind == Kind.STEADY


def test_a_fall_that_called_before_and_goes_no_further_is_not_called_falling_but_staying_low():
    """K-105 stood in "stays low although you talked", and its page said "Falling"."""
    said = of(*[37] * 5, 33.8, 32.8, 32.6, 32.6, 32.7)
    where = "4.4 points below this client's level of July to August"
    assert said.sentence == f"Staying low: the last 3 ratings are on average {where}."
    assert said.distance == where
    assert of(*[37] * 5, 33.8, 32.8, 32.6, 29, 28.5).kind == Kind.FALLING


def test_it_is_not_back_before_it_is_said_to_stay():
    silent = replace(P, enabled=frozenset("C"))  # rule A called for every one of these
    said = of(*[38] * 5, 31, 33, 33.1, parameters=silent)
    where = "5.3 points below this client's level of August"
    assert said.sentence == f"Not back yet: the last 3 ratings are on average {where}."
    assert of(*[38] * 5, 31, 33, 33.1, 33.2, parameters=silent).kind == Kind.STAYING_LOW


def test_without_the_rules_the_figures_still_say_lower_and_higher():
    silent = replace(P, enabled=frozenset("G"))
    lower = of(*[40] * 8, 38, 38, 38, parameters=silent).sentence
    assert lower.startswith("Lower: the last 3 ratings are on average 2.0 points below")
    assert of(*[40] * 8, 38.1, 38.1, 38.1, parameters=silent).kind == Kind.STEADY
    assert "average 4.0 points above" in of(*[34] * 8, 38, 38, 38, parameters=silent).sentence


def test_it_says_since_when_no_rating_came():
    said = of(*[38] * 6, None, None)
    assert said.sentence == "Steady at this client's own level. No complete rating since 14 September."
    assert of(*[38] * 6, None).sentence == "Steady at this client's own level."


def test_a_fall_within_a_low_point_that_is_near_the_level_before_it_names_what_it_compares():
    said = of(0, 6, 0, 0, 2, raised=[LASTING_FALL])
    assert said.sentence == "Falling: the last 3 ratings are on average 2.0 points below the 2 before them."
    assert (said.level.mean, said.distance) == (0, "")


@given(st.lists(st.one_of(st.none(), st.integers(0, 400)), max_size=20))
def test_every_course_has_an_answer_and_a_distance_only_with_a_level(tenths):
    said = of(*(None if one is None else one / 10 for one in tenths))
    assert said.sentence.endswith(".")
    assert not said.distance or said.level is not None
    if said.kind == Kind.FALLING and said.distance:
        assert said.level.fall >= 10
