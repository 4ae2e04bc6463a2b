"""Shares of counts: what may be said of few, and how sure one is of many."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.process import Share, wilson

counts = st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@pytest.mark.parametrize(
    ("done", "total", "lower", "upper"),
    [
        # Newcombe, Statistics in Medicine 1998, 17:857, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_against_the_published_intervals(done, total, lower, upper):
    assert wilson(done, total) == pytest.approx((lower, upper), abs=5e-5)


@given(counts)
def test_the_interval_holds_the_share_and_stays_inside_nothing_and_all(count):
    done, total = count
    lower, upper = wilson(done, total)
    assert 0 <= lower <= done / total <= upper <= 1


@given(counts)
def test_its_ends_are_where_the_share_lies_just_z_standard_errors_away(count):
    """The definition itself, turned round: |share - p| = z * sqrt(p(1 - p) / total) at each end inside."""
    done, total = count
    for end in wilson(done, total):
        if 0 < end < 1:
            error = math.sqrt(end * (1 - end) / total)
            assert abs(done / total - end) == pytest.approx(1.959964 * error, rel=1e-6)


@given(counts)
def test_done_and_left_undone_mirror_each_other(count):
    done, total = count
    lower, upper = wilson(done, total)
    assert wilson(total - done, total) == pytest.approx((1 - upper, 1 - lower), abs=1e-12)


@given(counts)
def test_more_of_the_same_makes_surer(count):
    done, total = count
    lower, upper = wilson(done, total)
    surer_lower, surer_upper = wilson(4 * done, 4 * total)
    assert surer_upper - surer_lower < upper - lower


@given(counts)
def test_whole_per_cents_are_rounded_outward(count):
    share = Share(*count)
    if share.interval is not None:
        lower, upper = wilson(*count)
        low, high = share.interval
        assert 0 <= low <= 100 * lower <= share.percent + 0.5
        assert share.percent - 0.5 <= 100 * upper <= high <= 100


@pytest.mark.parametrize(
    ("share", "percent", "interval", "dependable"),
    [
        (Share(0, 0), None, None, False),
        (Share(9, 9), None, None, False),  # nine are too few for a rate
        (Share(8, 10), 80, (49, 95), False),
        (Share(29, 29), 100, (88, 100), False),  # not dependable yet
        (Share(15, 30), 50, (33, 67), True),
        (Share(41, 48), 85, (72, 93), True),
        (Share(1, 40), 3, (0, 13), True),  # 2.5 goes up
    ],
)
def test_what_may_be_said_of_how_many(share, percent, interval, dependable):
    assert (share.percent, share.interval, share.is_dependable) == (percent, interval, dependable)


@pytest.mark.parametrize(("done", "total"), [(1, 0), (-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(done, total):
    with pytest.raises(ValueError, match="no share"):
        Share(done, total)
