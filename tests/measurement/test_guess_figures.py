"""How far guesses lie from marks: by hand, by the distribution itself, and at the edges."""

from math import gamma, pi, sqrt
from statistics import mean, stdev

import pytest

from alliance.measurement.guess_figures import FROM_SESSIONS, figures, t_975
from alliance.measurement.parameters import T_975_MILLIONTHS

# Guessed less marked, in tenths. Sum 30, mean 3; squares 90 + 90 + 160 + ... worked out beside the test.
TEN = [10, -5, 20, 0, 5, -10, 15, 5, -15, 5]


def share_below(t, freedom, steps=20_000):
    """Of Student's t, by Simpson's rule over its density: slow, and another way than the table and the expansion."""
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))

    def density(x):
        return scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2)

    width = t / steps
    inner = sum((4 if place % 2 else 2) * density(place * width) for place in range(1, steps))
    return 0.5 + (density(0) + inner + density(t)) * width / 3


@pytest.mark.parametrize("freedom", [9, 15, 40, 41, 60, 120])
def test_the_quantile_is_that_of_the_distribution(freedom):
    assert share_below(t_975(freedom), freedom) == pytest.approx(0.975, abs=1e-7)


def test_the_expansion_meets_the_table():
    assert t_975(41) < T_975_MILLIONTHS[40] / 1e6 < t_975(39)
    with pytest.raises(ValueError, match="no spread"):
        t_975(1)


@pytest.mark.parametrize("count", range(FROM_SESSIONS))
def test_below_ten_only_the_number_is_said(count):
    found = figures(TEN[:count])
    assert (found.sessions, found.mean, found.low, found.high) == (count, None, None, None)
    assert found.sentence.startswith(f"{count} of 10 sessions")


def test_ten_sessions_worked_by_hand():
    """Mean 3; the squares of the distances add up to 1060, so s = 10.85; 2.262157 x 10.85 / 3.1623 = 7.76."""
    assert (sum(TEN), sum((one - 3) ** 2 for one in TEN)) == (30, 1060)
    found = figures(TEN)
    assert (found.mean, found.low, found.high) == (3, -5, 11)  # -4.76 and 10.76, rounded outward
    assert found.sentence == (
        "Over 10 sessions your guesses were on average 0.3 points higher than what was marked "
        "(95 % interval: 0.5 lower to 1.1 higher). The interval includes 0: it may be chance."
    )


def test_a_steady_distance_is_no_chance():
    found = figures([20, 21, 19, 20, 20, 22, 18, 20, 21, 19])
    assert (found.mean, found.low, found.high) == (20, 19, 21)
    assert found.sentence.endswith("The interval does not include 0.")


def test_always_the_same_distance_has_an_interval_of_one_point():
    found = figures([-7] * 12)
    assert (found.mean, found.low, found.high) == (-7, -7, -7)


def test_the_formula_against_the_textbook_and_the_mirror():
    for count in (10, 11, 41, 42, 200):
        differences = [(place * 37) % 83 - 40 for place in range(count)]
        half = t_975(count - 1) * stdev(differences) / sqrt(count)
        found, mirrored = figures(differences), figures([-one for one in differences])
        assert found.low <= mean(differences) - half < found.low + 1
        assert found.high - 1 < mean(differences) + half <= found.high
        assert (mirrored.mean, mirrored.low, mirrored.high) == (-found.mean, -found.high, -found.low)


def test_as_marked_is_said_so():
    assert "on average as high as what was marked" in figures([5, -5] * 6).sentence
