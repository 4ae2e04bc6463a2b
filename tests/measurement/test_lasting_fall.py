"""Rule J: where it is raised, and where it calls. The values are those of the specification."""

from fractions import Fraction
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import findings
from alliance.measurement.lasting_fall import held, lasting_fall
from alliance.measurement.parameters import Parameters
from tests.measurement.courses import even, tenths

UNEVEN = [38, 33, 39, 35, 38, 30, 36, 39]
TOTALS = st.lists(st.integers(0, 400), min_size=1, max_size=25)


def at(*points: float) -> list[int]:
    return [tenths(point) for point in points]


def is_raised(totals: list[int]) -> bool:
    return lasting_fall(totals) is not None


def calls(totals: list[int]) -> list[tuple[bool, bool]]:
    """Of each rating whether rule J calls there, and whether the fall since the one before does."""
    course = [even(number, total) for number, total in enumerate(totals, start=1)]
    on_list = [{f.rule for f in found if f.on_work_list} for found in findings(course, Parameters())]
    return [("J" in letters, "C" in letters) for letters in on_list]


def calls_at(totals: list[int]) -> list[int]:
    return [place for place, (lasting, _) in enumerate(calls(totals)) if lasting]


@pytest.mark.parametrize(
    ("before", "times", "lowest_not_raised"),
    [
        ([40], 2, 36.3),
        ([40], 3, 37.2),
        ([40, 40], 3, 38.7),
        ([40] * 3, 3, 39.1),
        ([40] * 4, 3, 39.1),
        ([40] * 8, 3, 39.1),
        ([38, 37.5, 38.5, 38, 37], 3, 36.9),
        (UNEVEN, 3, 35.4),
        ([40] * 8, 1, 38.1),
    ],
)
def test_the_values_of_the_specification(before, times, lowest_not_raised):
    below = tenths(lowest_not_raised) - 1
    assert is_raised([*at(*before), *[below] * times])
    assert not is_raised([*at(*before), *[below + 1] * times])


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        ([39, 38, 37, 36.5], False),
        ([39, 38, 38.2, 37, 36], True),
        ([30, 36, 36, 36], False),
        ([40], False),
        ([40, 10], False),
    ],
)
def test_short_courses_of_the_specification(totals, expected):
    assert is_raised(at(*totals)) is expected


def test_one_low_rating_does_not_hide_the_next_fall():
    before = [38, 38, 30, 30, 38, 38, 38, 38]
    blind = Parameters(hold_within=400)
    lasting = at(*before, 34, 34, 34)
    assert is_raised(lasting)
    assert lasting_fall(lasting).before > lasting_fall(lasting, blind).before


def test_what_was_compared():
    found = lasting_fall(at(*[40] * 8, 38))
    assert (found.ratings, found.recent, found.before, found.earlier) == (3, 390, 400, 6)
    found = lasting_fall(at(40, 36, 36))
    assert (found.ratings, found.recent, found.before, found.earlier) == (2, 360, 400, 1)


def test_a_fall_that_was_called_for_stays_quiet_for_four_ratings():
    assert calls_at(at(40, 40, 40, *[36] * 7)) == [4, 9]


def test_a_further_fall_of_two_calls_again():
    assert calls_at(at(*[40] * 6, 36, 34.1)) == [6]
    assert calls_at(at(*[40] * 6, 36, 34)) == [6, 7]


def test_a_fall_after_a_return_calls_again():
    assert calls_at(at(*[40] * 6, 36, 39.9, 36, 36)) == [6]
    assert calls_at(at(*[40] * 6, 36, 40, 36, 36)) == [6, 8]


def test_a_sudden_fall_of_six_calls_and_keeps_what_follows_quiet():
    assert calls(at(40, 40, 34, 34)) == [(False, False), (False, False), (True, True), (False, False)]
    assert calls(at(40, 34, 34.1)) == [(False, False), (False, True), (False, False)]


def reference(totals: list[int]) -> bool:
    """The definition once more, in fractions of a point."""
    x = [Fraction(total, 10) for total in totals]
    if len(x) < 3:
        return False
    k = 2 if len(x) == 3 else 3
    y = sum((place + 1) * x[len(x) - k + place] for place in range(k)) / sum(range(1, k + 1))
    window = x[: len(x) - k][-8:]
    window = [max(value, median(window) - 4) for value in window]
    n, m = len(window), mean(window)
    sp2 = (16 + sum((value - m) ** 2 for value in window)) / (n + 3)
    c = {3: Fraction(3, 2), 4: Fraction(6, 5), 5: Fraction(4, 5)}.get(len(x), Fraction(3, 5))
    q = Fraction(5, 9) if k == 2 else Fraction(7, 18)
    return m - y >= 1 and (m - y) ** 2 > c * c * sp2 * (Fraction(1, n) + q)


@given(TOTALS)
def test_whole_numbers_and_fractions_agree(totals):
    assert is_raised(totals) == reference(totals)


@given(TOTALS, st.integers(0, 400))
def test_a_lower_last_rating_never_ends_it(totals, lower):
    if is_raised(totals) and lower <= totals[-1]:
        assert is_raised([*totals[:-1], lower])


@given(TOTALS)
def test_it_calls_only_where_it_is_raised(totals):
    assert all(is_raised(totals[: place + 1]) for place in calls_at(totals))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_held_totals_are_the_totals_where_none_is_far_below(totals):
    found = held(totals, 400)
    assert (found.count, found.total) == (len(totals), 2 * sum(totals))
