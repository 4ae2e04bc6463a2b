from fractions import Fraction
from math import atan, cos, pi, sin, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.parameters import T_975_MILLIONTHS, Parameters
from alliance.measurement.trends import decline, lowest_usual, mann_kendall, usual_range

DEFAULTS = Parameters()
TOTALS = st.lists(st.integers(0, 400), max_size=12)


@pytest.mark.parametrize(
    ("history", "mean", "sp2", "limit", "lowest"),
    [
        ([400, 400, 400, 400], 400, Fraction(1600, 7), 36.003, 361),
        ([380, 375, 385, 380, 370], 378, Fraction("216.25"), 34.085, 341),
    ],
)
def test_usual_range_of_the_specified_histories(history, mean, sp2, limit, lowest):
    usual = usual_range(history, DEFAULTS)
    assert usual.mean == mean
    assert usual.sp2 == sp2
    assert usual.lower / 10 == pytest.approx(limit, abs=0.0005)
    assert usual.lowest == lowest
    assert usual.earlier == len(history)


@pytest.mark.parametrize("few", range(4))
def test_no_usual_range_below_four_ratings(few):
    assert usual_range([380] * few, DEFAULTS) is None
    assert lowest_usual([380] * few, DEFAULTS) is None


def test_only_the_last_eight_ratings_count():
    assert usual_range([0, 0, *[390] * 8], DEFAULTS) == usual_range([390] * 8, DEFAULTS)
    assert usual_range([390] * 9, DEFAULTS).earlier == 8


def test_the_range_ends_where_the_scale_does():
    assert usual_range([400] * 4, DEFAULTS).upper == 400
    assert usual_range([400] * 4, DEFAULTS).highest == 400
    assert usual_range([0] * 4, DEFAULTS).lower == 0
    assert usual_range([0] * 4, DEFAULTS).lowest == 0


@given(TOTALS)
def test_the_whole_tenths_are_those_inside_the_drawn_range(totals):
    usual = usual_range(totals, DEFAULTS)
    assert (usual is None) == (len(totals) < 4)
    if usual is None:
        return
    assert usual.lowest == lowest_usual(totals, DEFAULTS)
    assert usual.lower - 1e-6 <= usual.lowest < usual.lower + 1 + 1e-6
    assert usual.upper - 1 - 1e-6 < usual.highest <= usual.upper + 1e-6


@given(TOTALS.filter(lambda totals: len(totals) >= 4), st.permutations(range(4)))
def test_the_order_of_earlier_ratings_does_not_matter(totals, order):
    shuffled = [*totals[:-4], *(totals[-4:][index] for index in order)]
    assert usual_range(shuffled, DEFAULTS) == usual_range(totals, DEFAULTS)


def student_t_cdf(t: float, freedom: int) -> float:
    """The distribution in closed form for whole degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4)."""
    theta = atan(t / sqrt(freedom))
    odd = freedom % 2
    term = cos(theta) if odd else 1.0
    total = 0.0
    for k in range(1, (freedom - odd) // 2 + 1):
        total += term
        term *= cos(theta) ** 2 * (2 * k / (2 * k + 1) if odd else (2 * k - 1) / (2 * k))
    between = 2 / pi * (theta + sin(theta) * total) if odd else sin(theta) * total
    return (1 + between) / 2


@pytest.mark.parametrize("freedom", T_975_MILLIONTHS)
def test_t_table_is_right_to_the_last_millionth(freedom):
    millionths = T_975_MILLIONTHS[freedom]
    below, above = (student_t_cdf((millionths + d) / 1e6, freedom) for d in (-0.501, 0.501))
    assert below < 0.975 < above


@pytest.mark.parametrize(
    ("freedom", "published"), [(7, 2.365), (8, 2.306), (9, 2.262), (10, 2.228), (11, 2.201), (30, 2.042)]
)
def test_t_table_agrees_with_the_published_three_decimals(freedom, published):
    assert round(T_975_MILLIONTHS[freedom] / 1e6, 3) == published


@pytest.mark.parametrize(
    ("totals", "s"),
    [([390, 380, 370, 365], -6), ([390, 380, 382, 370, 360], -8), ([400, 400, 390, 380, 370], -9),
     ([1, 2, 3], 3), ([5, 5, 5, 5], 0), ([7], 0), ([], 0)],
)  # fmt: skip
def test_mann_kendall(totals, s):
    assert mann_kendall(totals) == s


@given(TOTALS)
def test_mann_kendall_turns_with_the_course(totals):
    assert mann_kendall(totals) == -mann_kendall(totals[::-1])
    assert abs(mann_kendall(totals)) <= len(totals) * (len(totals) - 1) // 2


def test_decline_names_the_window_that_showed_it():
    found = decline([400, 390, 380, 382, 370, 360], 20)
    assert (found.length, found.s, found.first, found.last) == (5, -8, 390, 360)
    found = decline([350, 390, 380, 370, 365], 20)
    assert (found.length, found.s, found.first, found.last) == (4, -6, 390, 365)
