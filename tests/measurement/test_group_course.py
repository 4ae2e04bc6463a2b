"""A group over its sessions. Our own, provisional: worked by hand here, and no published rule."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement import group_course, instruments
from alliance.measurement.group_course import Drift, MemberCourse, Place

P = instruments.get("group-session-rating").parameters
STEADY = [340, 338, 342, 340, 339, 341, 340, 340]
FALLING = [340, 338, 342, 340, 339, 280, 270, 260]
TOTALS = st.lists(st.integers(0, 400), min_size=1, max_size=30)


class TestSpread:
    @pytest.mark.parametrize(
        ("totals", "median", "ends"),
        [
            ([300], 300, (300, 300)),
            ([200, 400], 300, (200, 400)),
            ([301, 302], 302, (301, 302)),  # 30.15, a half upwards
            ([100, 390, 350, 340, 360], 350, (100, 390)),
        ],
    )
    def test_by_hand(self, totals, median, ends):
        found = group_course.spread(totals)
        assert (found.median, found.lowest, found.highest) == (median, *ends)
        assert (found.count, found.range) == (len(totals), ends[1] - ends[0])

    def test_of_nobody_there_is_none(self):
        assert group_course.spread([]) is None

    @given(TOTALS)
    def test_the_median_lies_between_the_ends_and_half_lie_on_either_side(self, totals):
        found = group_course.spread(totals)
        middle = group_course.median(totals)
        assert found.lowest <= found.median <= found.highest
        assert (
            sum(one <= middle for one in totals) * 2
            >= len(totals)
            <= sum(one >= middle for one in totals) * 2
        )
        assert group_course.spread(totals[::-1]) == found


class TestDrift:
    @pytest.mark.parametrize(
        ("medians", "kind"),
        [
            ([], Drift.TOO_FEW),
            ([340] * 5, Drift.TOO_FEW),
            ([340, None, 340, 340, None, 340, 340], Drift.TOO_FEW),  # five are known
            ([340] * 6, Drift.SAME),
            ([340, 340, 340, 321, 321, 321], Drift.SAME),  # 1.9 points
            ([340, 340, 340, 320, 320, 320], Drift.LOWER),  # 2.0 points
            ([320, 320, 320, 340, None, 340, 340], Drift.HIGHER),
            ([340, 340, 340, 340, 340, 200], Drift.SAME),  # one bad evening is no drift
        ],
    )
    def test_by_hand(self, medians, kind):
        assert group_course.drift(medians).kind == kind

    def test_only_the_last_six_rated_sessions_count(self):
        found = group_course.drift([100] * 20 + [340] * 3 + [320] * 3)
        assert (found.before, found.now) == (340, 320)


def places(**courses):
    keys = list(courses)
    found = group_course.places({place: courses[name] for place, name in enumerate(keys)}, P)
    return {name: found[place] for place, name in enumerate(keys)}


class TestWhoFallsAway:
    def test_one_who_falls_while_the_others_stay(self):
        found = places(a=MemberCourse(FALLING), b=MemberCourse(STEADY), c=MemberCourse(STEADY))
        assert found["a"].place == Place.AWAY
        assert (found["a"].level, found["a"].fall, found["a"].others) == (340, 73, 0)
        assert found["b"].place == found["c"].place == Place.AS_USUAL

    def test_where_all_fall_nobody_falls_away(self):
        found = places(a=MemberCourse(FALLING), b=MemberCourse(FALLING), c=MemberCourse(FALLING))
        assert {one.place for one in found.values()} == {Place.WITH_THE_GROUP}

    def test_of_two_nothing_is_said_about_the_others(self):
        found = places(a=MemberCourse(FALLING), b=MemberCourse(STEADY))
        assert (found["a"].place, found["a"].others) == (Place.FALLS, None)

    def test_who_rises_does_not_fall(self):
        found = places(a=MemberCourse(FALLING[::-1]), b=MemberCourse(STEADY), c=MemberCourse(STEADY))
        assert found["a"].place == Place.AS_USUAL

    def test_too_few_ratings_of_their_own(self):
        found = places(a=MemberCourse([340, 100]), b=MemberCourse(STEADY), c=MemberCourse(STEADY))
        assert (found["a"].place, found["a"].level) == (Place.UNKNOWN, None)

    def test_an_open_flag_speaks_where_no_level_is_known_yet(self):
        found = places(
            a=MemberCourse([340, 100], is_flagged=True), b=MemberCourse(STEADY), c=MemberCourse(STEADY)
        )
        assert found["a"].place == Place.AWAY

    def test_the_others_are_those_besides_oneself(self):
        """Else a member would be compared with a middle that holds their own fall."""
        found = places(a=MemberCourse(FALLING), b=MemberCourse(FALLING), c=MemberCourse(STEADY))
        # Falls: 339.8 - 266.67 = 73.13 and 339.8 - 340.17 = -0.37, of tenths; the middle of the two is 36.38.
        assert found["a"].others == found["b"].others == 36
        assert found["c"].others == 73

    @given(st.lists(st.lists(st.integers(0, 400), max_size=12), max_size=6))
    def test_each_member_has_a_place_and_the_order_of_members_is_none(self, courses):
        there = {n: MemberCourse(totals) for n, totals in enumerate(courses)}
        found = group_course.places(there, P)
        assert found.keys() == there.keys()
        assert group_course.places(dict(reversed(there.items())), P) == found

    def test_a_median_of_fractions_is_exact(self):
        assert group_course.median([Fraction(1, 3), Fraction(2, 3)]) == Fraction(1, 2)
