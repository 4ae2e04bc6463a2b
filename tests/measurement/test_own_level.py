"""The own level, how sure it is, and that it is the one rule J compares with."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.lasting_fall import lasting_fall
from alliance.measurement.own_level import own_level
from alliance.measurement.parameters import Parameters

P = Parameters()
totals = st.lists(st.integers(0, 400), min_size=3, max_size=25)


@pytest.mark.parametrize("few", [[], [400], [400, 300]])
def test_fewer_than_three_ratings_have_none(few):
    assert own_level(few, P) is None


def test_three_ratings_compare_two_with_one_and_more_compare_three_with_up_to_eight():
    three, long = own_level([380, 370, 340], P), own_level([200] * 3 + [380] * 8 + [300, 310, 320], P)
    assert (three.first, three.last, three.latest, three.mean, three.recent) == (0, 0, 2, 380, 350)
    assert (long.first, long.last, long.latest, long.mean, long.recent) == (3, 10, 3, 380, Fraction(1880, 6))


def test_one_low_rating_does_not_lower_the_level_by_more_than_four_points_of_one():
    assert own_level([380] * 7 + [200] + [380] * 3, P).mean == Fraction(380 * 7 + 340, 8)


def test_the_bounds_are_those_of_a_mean_and_stay_on_the_scale():
    """Eight 40s: sp² = 16/11 points², t(.975, 11) = 2.201: 2.201·sqrt(16/11/8) = 0.938 points."""
    level = own_level([400] * 8 + [380] * 3, P)
    assert (level.lower, level.upper) == (pytest.approx(390.62, abs=0.01), 400)


@pytest.mark.parametrize(("last", "is_sure"), [([381, 381, 381], False), ([380, 380, 380], True)])
def test_a_fall_is_sure_from_where_it_leaves_what_is_expected_of_95_of_100(last, is_sure):
    """Eight 40s, then 2.201·sqrt(16/11·(1/8 + 7/18)) = 1.903 points."""
    assert own_level([400] * 8 + last, P).is_sure is is_sure


def test_a_spread_without_weight_says_nothing_of_two_ratings_rather_than_dividing_by_nothing():
    assert own_level([400, 380, 370], Parameters(nu0=1, own_range_minimum=4)) is None


def test_while_a_low_point_goes_on_the_level_is_the_one_compared_where_it_began():
    """Five 38s, then a fall to 30 at the sixth rating (place 5): the three before the last three count, and stay."""
    course = [380, 381, 382, 380, 380, 300, 300, 300, 300]
    then, now = own_level(course[:6], P), own_level(course, P, low_from=5)
    assert (
        (now.first, now.last, now.mean, now.lower)
        == (then.first, then.last, then.mean, then.lower)
        == ((0, 2, 381, then.lower))
    )
    assert (now.latest, now.recent, now.fall) == (3, 300, 81)
    assert own_level(course, P).mean < 381
    second = own_level(
        [380, 300, 300, 300], P, low_from=1
    )  # it began where no level was known: that before it
    assert (second.first, second.last, second.mean) == (0, 0, 380)


@given(totals, st.integers(0, 24))
def test_a_level_from_before_a_low_point_ends_before_the_last_ratings(course, place):
    level = own_level(course, P, low_from=min(place, len(course) - 1))
    assert 0 <= level.first <= level.last < len(course) - level.latest
    assert level.lower <= level.mean <= level.upper
    assert own_level(course, P, low_from=len(course) - 1) == own_level(course, P)


@given(totals)
def test_it_is_the_level_of_rule_j(course):
    level, fall = own_level(course, P), lasting_fall(course, P)
    assert level.lower <= level.mean <= level.upper
    if fall:
        assert (fall.ratings, fall.earlier) == (level.latest, level.earlier)
        assert abs(fall.before - level.mean) <= Fraction(1, 2) >= abs(fall.recent - level.recent)
        assert level.fall >= 10 - 1
