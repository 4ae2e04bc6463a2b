"""Ruptures and repairs: each state at its boundary, each edge, and what holds for every course."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import Finding, Parameters, findings
from alliance.measurement.instruments import get
from alliance.measurement.parameters import ANY_CHANGE
from alliance.measurement.repairs import RepairState, Rupture, recovered_twice, returned, ruptures
from tests.measurement.courses import course, even, rated, tenths, unrated

# The list of before: each new sign begins one, and a fall of 4.0 calls.
FORMER = Parameters(work_list=ANY_CHANGE)
(
    OPEN, DISCUSSED, STILL_LOW, RECOVERING, NOT_BACK, BACK_ONCE, RECOVERED, FELL_AGAIN, UNREPAIRED,
) = RepairState  # fmt: skip


def of(sessions, *talked: int, closed=False, parameters=None) -> list[Rupture]:
    p = parameters or FORMER
    return ruptures(sessions, findings(sessions, p), talked, is_closed=closed, parameters=p)


def only(*totals, talked=(), **settings) -> Rupture:
    """The one rupture of a course written in points."""
    (rupture,) = of(course(*totals), *talked, **settings)
    return rupture


def test_a_fall_that_goes_on_calls_again_at_the_fifth_rating_after_and_begins_another_low_point():
    first, second = of(course(*[40] * 8, *[38] * 6), parameters=Parameters())
    assert (first.began, first.state, second.began, second.rules[0]) == (9, FELL_AGAIN, 14, "J")
    assert (first.goal, second.goal) == (390, 390), "of the median of all ratings before"


# --- its state ---------------------------------------------------------------------------------------------


# The client's median before is 38.0: the goal is 37.0. It began at 33.0: half of the way back is 35.0.
@pytest.mark.parametrize(
    ("after", "talked", "state", "ended"),
    [
        ((), (), OPEN, None),
        ((), (3,), OPEN, None),
        ((), (4,), DISCUSSED, None),
        ((None, None), (4,), DISCUSSED, None),
        ((33.0,), (4,), STILL_LOW, None),
        ((33.0,), (), STILL_LOW, None),
        ((34.9,), (), STILL_LOW, None),
        ((35.0,), (), RECOVERING, None),
        ((35.0,), (4,), RECOVERING, None),
        ((34.9, 34.9), (), STILL_LOW, None),
        ((30.0, 34.9), (), STILL_LOW, None),  # 4.9 above the lowest, and not half of the way
        ((30.0, 35.0), (), RECOVERING, None),
        ((36.9,), (4, 5), RECOVERING, None),
        ((37.0,), (), BACK_ONCE, None),
        ((40.0,), (4,), BACK_ONCE, None),
        ((37.0, 36.9), (), RECOVERING, None),  # a mean of 36.95 is not back
        ((37.0, 37.0), (), RECOVERED, 6),
        ((37.5, 36.5), (), RECOVERED, 6),  # the mean counts
        ((36.9, 37.1), (), RECOVERED, 6),
        ((36.9, 36.9), (), RECOVERING, None),
        ((36.9, 36.9, 36.9), (), NOT_BACK, None),
        ((33.0, 33.0, 33.0), (4,), NOT_BACK, None),
        ((33.0, None, 33.0), (4,), STILL_LOW, None),  # a gap is no rating
        ((33.0, 33.0, 33.0, 36.9), (), NOT_BACK, None),
        ((33.0, 33.0, 33.0, 37.0), (), BACK_ONCE, None),
        ((33.0, 33.0, 37.0), (), BACK_ONCE, None),
        ((33.0, 33.0, 33.0, 37.0, 34.0), (), STILL_LOW, None),  # it was back once
        ((37.0, 34.0, 34.0, 34.0), (), STILL_LOW, None),
        ((33.0, 33.0, 33.0, 37.0, 37.0), (), RECOVERED, 9),
        ((None, 37.0), (), BACK_ONCE, None),
        ((37.0, None, 37.0), (), RECOVERED, 7),  # in a row of the ratings
    ],
)
def test_how_far_it_has_come(after, talked, state, ended):
    rupture = only(38, 37.5, 38.5, 33.0, *after, talked=talked)
    assert (rupture.began, rupture.goal, rupture.state, rupture.ended) == (4, 370, state, ended)
    assert rupture.goes_on is (ended is None)


# Half of the way is 35.8 here: 1.9 above the lowest is chance, whatever the way.
@pytest.mark.parametrize(
    ("after", "state"), [((35.8,), STILL_LOW), ((36.5,), STILL_LOW), ((36.6,), RECOVERING)]
)
def test_recovering_is_clearly_above_the_lowest_too(after, state):
    assert only(38, 38, 38, 34.6, *after, parameters=replace(FORMER, sudden_fall=30)).state is state


def test_eight_ratings_below_the_cutoff_are_not_recovering():
    """Three talks, the last four ratings two to ten points below what was: a rise is no way back."""
    *_, last = of(course(30.2, 33.4, 35.9, None, 23.9, 27.9, 31.9, 30.4, 31.1), 1, 7, 8)
    assert (last.state, last.began, last.ratings, last.talked) == (NOT_BACK, 5, 4, (7, 8))


def test_a_slide_that_goes_on_after_five_talks_is_still_low():
    *_, last = of(course(33.9, 34.5, 30.9, None, 33.8, 29.6, 25.3, 24.2, 25.6), 1, 3, 6, 7, 8)
    assert (last.state, last.talked, last.after_talk) == (STILL_LOW, (7, 8), 1)
    assert last.stays_low_after_talk


def test_one_rating_back_is_no_recovery():
    *_, last = of(course(29, 39.2, 40, 37.5, 29.7, 25.4, 37, 30.9, 40, 39.8, 22.8, 38.6))
    assert (last.state, last.began, last.back_at) == (BACK_ONCE, 11, 12)


@pytest.mark.parametrize("after", [(), (36.9,), (33.1, 32), (None,), (37.0,)])
def test_closed_before_it_recovered_it_ended_unrepaired(after):
    rupture = only(38, 37.5, 38.5, 33.0, *after, closed=True)
    assert (rupture.state, rupture.ended) == (UNREPAIRED, 4 + len(after))


def test_closed_after_it_recovered_it_stays_recovered():
    assert only(38, 37.5, 38.5, 33.0, 37.0, 37.0, closed=True).state is RECOVERED


def test_what_a_low_point_tells():
    assert only(38, 37.5, 38.5, 33.0, 32.0, 37.0, 36.0, talked=(4, 5)) == Rupture(
        began=4, ended=None, state=RECOVERING, rules=("C", "A"), before=Fraction(380), goal=370,
        total=330, previous=385, lowest=320, latest=360, ratings=3, back_at=6, talked=(4, 5), after_talk=2,
    )  # fmt: skip


def test_the_strongest_reason_stands_first():
    assert only(40, 40, 40, 40, 35).rules == ("C", "E", "A")


# --- where it begins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "began"),
    [((36, 37), []), ((35.9, 37), [1]), ((40, 36), [2]), ((39, 38, 37, 36.5), [4]), ((40, 40, 40, 40, 36), [5]),
     ((40,) * 4, []), ((None, None), [])],
)  # fmt: skip
def test_a_new_a_c_d_or_e_begins_one(totals, began):
    assert [rupture.began for rupture in of(course(*totals))] == began


def test_a_low_line_and_a_small_fall_begin_none():
    assert of([rated(1, 10, 10, 10, 10), rated(2, 10, 8, 10, 10)]) == []


def test_a_sudden_fall_within_begins_another():
    first, second = of(course(38, 38, 38, 32, 28, 33))
    assert (first.began, first.ended, first.state, first.lowest) == (4, 4, FELL_AGAIN, 320)
    assert (second.began, second.ended, second.before, second.previous) == (5, None, 380, 320)


@pytest.mark.parametrize("rule", "CJ")
def test_a_lasting_fall_within_begins_another_where_it_calls(rule):
    sessions = course(38, 38, 38, 32, 31, 30.5)
    found = [list(each) for each in findings(sessions, replace(FORMER, enabled=frozenset("C")))]
    found[5].append(Finding(rule, is_new=True, on_work_list=False, evidence={}))
    (one,) = ruptures(sessions, found, (), is_closed=False)
    found[5][-1] = Finding(rule, is_new=True, on_work_list=True, evidence={})
    first, second = ruptures(sessions, found, (), is_closed=False)
    assert (one.began, first.state, first.ended, second.began) == (4, FELL_AGAIN, 5, 6)
    assert second.rules == (rule,)


def test_a_rating_above_the_own_level_begins_no_low_point_though_the_mean_of_the_last_three_is_low():
    """22.0 once, then 38.6 and 39.0: rule J calls at 39.0, for the mean of the three is 36.0."""
    sessions, p = course(38, 38.4, 37.6, 22, 38.6, 39), Parameters()
    assert [(f.rule, f.on_work_list) for f in findings(sessions, p)[-1]] == [("J", True)]
    (one,) = of(sessions, parameters=p)
    assert (one.began, one.state, one.ended) == (4, RECOVERED, 6)


def test_what_else_calls_within_belongs_to_it():
    # 30.0 is an A that has woken: 2.0 lower than where A called last.
    rupture = only(38, 38, 37, 32, 30, 34)
    assert (rupture.began, rupture.total, rupture.lowest, rupture.state) == (4, 320, 300, STILL_LOW)


def test_after_a_recovery_the_next_flag_begins_another():
    first, second = of(course(38, 38, 38, 33, 38, 38, 33), 4, 7)
    assert (first.began, first.ended, first.state, first.talked) == (4, 6, RECOVERED, (4,))
    assert (second.began, second.ended, second.state, second.talked) == (7, None, DISCUSSED, (7,))


# --- the goal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operator", "goal"), [("<", 360), ("<=", 361)])
def test_a_low_start_has_the_cutoff_as_its_goal(operator, goal):
    p = replace(FORMER, cutoff_operator=operator)
    rupture = only(33, goal / 10 - 0.1, parameters=p)
    assert (rupture.before, rupture.previous, rupture.goal) == (None, None, goal)
    assert rupture.is_low_start
    assert rupture.state is RECOVERING
    assert only(33, goal / 10, parameters=p).state is BACK_ONCE


# The first four ratings have a median of 31.0: from the fifth on, 30.0 is this client's own level.
@pytest.mark.parametrize(
    ("after", "state", "goal"),
    [
        ((30, 32, 31), STILL_LOW, 360),
        ((30, 32, 31, 29.9), BACK_ONCE, 300),
        ((30, 32, 31, 28.9), STILL_LOW, 300),
        ((30, 32, 31, 29.0), RECOVERED, 300),  # 31.0 and 29.0: a mean of 30.0
        ((30, 32, 31, 31), RECOVERED, 300),
        ((30, 32, None, 31), STILL_LOW, 360),
    ],
)
def test_from_the_fifth_rating_a_low_start_has_the_own_level_as_its_goal(after, state, goal):
    p = replace(FORMER, enabled=frozenset("A"), badge_fall=50)
    if state is BACK_ONCE:
        after = (*after[:2], 26.5, 31.0)  # the one before is too low for a mean that is back
    (rupture,) = of(course(31, *after), parameters=p)
    assert (rupture.state, rupture.goal) == (state, goal if state is not BACK_ONCE else 295)


def test_a_client_who_rates_low_from_the_start_is_at_their_own_level_and_not_in_a_low_point_for_good():
    rupture = only(*[34] * 12)
    assert (rupture.state, rupture.ended, rupture.before, rupture.goal) == (RECOVERED, 5, 340, 330)


def test_a_low_start_is_never_not_back():
    """There is no level that it fell from; the base rates are of falls."""
    assert only(30, 30, 30, 30).state is STILL_LOW


def test_a_fall_after_a_low_start_has_the_own_level_as_its_goal():
    start, fall = of(course(30, 31, 30, 24))
    assert (start.state, start.ended, start.is_low_start) == (FELL_AGAIN, 3, True)
    assert (fall.before, fall.goal, fall.is_low_start) == (300, 290, False)


def test_a_low_start_begins_at_the_first_complete_rating_though_a_partial_one_was_certain_to_be_low_before():
    """A was new at the partial rating, and calls no more at the complete one."""
    sessions = [rated(1, 5, 5, 5, None), *course(None, 28, 29)[1:]]
    low = Finding("A", is_new=False, on_work_list=False, evidence={"cutoff": 360, "operator": "<"})
    (start,) = ruptures(sessions, [(), (low,), ()], (), is_closed=False)
    assert (start.began, start.is_low_start, start.goal) == (2, True, 360)
    assert ruptures(sessions, [(), (), (low,)], (), is_closed=False) == []


def test_a_goal_can_always_be_reached():
    assert only(40, parameters=replace(FORMER, cutoff=400, cutoff_operator="<=")).goal == 400


@pytest.mark.parametrize(
    ("before", "median", "goal"),
    [
        ((38,), 380, 370),
        ((38, 39), 385, 375),
        ((38, 38.1), Fraction(761, 2), 371),  # 38.05 less one point is 37.05: 37.0 is not yet back
        ((40, 36.5, 38, 38), 380, 370),
    ],
)
def test_the_goal_is_one_point_below_the_median_before(before, median, goal):
    rupture = of(course(*before, before[-1] - 5))[-1]
    assert (rupture.before, rupture.goal) == (median, goal)


def test_where_the_usual_level_is_low_it_must_be_passed_again():
    # The median before is 33.0, so 35.5 is no fall; a rating is back where it is higher than that.
    p, start = replace(FORMER, enabled=frozenset("A")), (36, 33, 33, 33, 33, 36, 36, 35.5)
    rupture = of(course(*start), parameters=p)[-1]
    assert (rupture.began, rupture.goal, rupture.state) == (8, 356, OPEN)
    assert of(course(*start, 35.5), parameters=p)[-1].state is STILL_LOW
    assert of(course(*start, 35.6), parameters=p)[-1].state is BACK_ONCE


def test_a_session_that_calls_for_a_talk_again_is_no_recovery():
    # Decline (S = -8) at 38.0, which would be back within a point of 39.0.
    sessions = course(41, 40, 39, 34, 38.0)
    p = replace(FORMER, total_maximum=410, cutoff=None)
    assert [f.rule for f in findings(sessions, p)[-1]] == ["D", "J"]
    (rupture,) = of(sessions, parameters=replace(p, recovered_within=20))
    assert (rupture.goal, rupture.latest, rupture.state) == (380, 380, RECOVERING)


def test_one_point_of_forty_is_a_share_of_other_ranges():
    assert get("wai-sr").parameters.recovered_within == 12
    assert Parameters().recovered_within == 10


# --- other forms, gaps, talks ------------------------------------------------------------------------------


def on(form: str, number: int, points: float):
    return replace(even(number, tenths(points)), series=form)


def test_another_form_ends_it_where_it_was_last_seen():
    sessions = [on("old", 1, 38), on("old", 2, 33), unrated(3), on("new", 4, 38), on("new", 5, 39)]
    (rupture,) = of(sessions, 2, 3, 4)
    assert (rupture.state, rupture.ended, rupture.talked) == (UNREPAIRED, 3, (2, 3))


def test_another_form_begins_anew_with_its_own_median():
    sessions = [on("old", 1, 38), on("old", 2, 33), on("new", 3, 35)]
    old, new = of(sessions)
    assert (old.ended, old.state) == (2, UNREPAIRED)
    assert (new.began, new.before, new.previous, new.goal) == (3, None, None, 360)


def test_the_median_is_of_the_same_form_only():
    assert of([on("old", 1, 20), on("new", 2, 39), on("new", 3, 35)])[-1].before == 390


def test_a_partial_rating_neither_recovers_nor_deepens():
    (rupture,) = of([*course(38, 33), rated(3, 0, 0, 0, None), unrated(4, attended=False)])
    assert (rupture.lowest, rupture.state, rupture.ratings, rupture.ended) == (330, OPEN, 0, None)


def test_talks_count_from_its_beginning_to_its_end():
    assert only(38, 38, 33, 34, 38, 38, 38, talked=(2, 3, 4, 5, 6, 7)).talked == (3, 4, 5, 6)
    assert only(38, 38, 33, 34, 36, None, talked=(6, 3)).talked == (3, 6)


def test_nothing_rated_nothing_ruptured():
    assert of([], closed=True) == []
    assert of(course(None, None), 1, closed=True) == []


# --- what may be counted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "back", "twice"),
    [
        # Back, but only one rating since: those that are not back yet are not counted either.
        ((38, 33, 37), None, None),
        ((38, 33, 34, 35), None, None),
        ((38, 33, 34, 35, 37), True, False),
        ((38, 33, 34, 36, 38), True, True),
        ((38, 33, 37, 37, 30), True, True),
        ((38, 33, 34, 35, 36.9), False, False),
        ((38, 33, 37, 30, 30), True, False),  # another low point began meanwhile
        ((38, 33, 34, 35, 36, 38), False, False),  # the fourth rating is too late
        ((38, 33, None, 34, None, 35, 37), True, False),
        ((34, 35, 35, 36), None, None),  # a low start: no level to return to
        ((34, 34, 34, 34, 34, 34), None, None),
    ],
)
def test_whether_it_returned_within_three_ratings(totals, back, twice):
    sessions = course(*totals)
    first = of(sessions)[0]
    assert (returned(first, sessions), recovered_twice(first, sessions)) == (back, twice)


def test_ratings_on_another_form_are_no_ratings_since():
    sessions = [on("old", 1, 38), on("old", 2, 33), on("old", 3, 34), on("new", 4, 38), on("new", 5, 38)]
    assert returned(of(sessions)[0], sessions) is None


# --- whatever the course -----------------------------------------------------------------------------------

COURSES = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(300, 400)), st.sampled_from("aaaaab"), st.booleans()),
    max_size=14,
)


def drawn(rows):
    sessions = [
        unrated(n) if total is None else replace(even(n, total), series=form)
        for n, (total, form, _) in enumerate(rows, start=1)
    ]
    return sessions, [n for n, (_, _, talked) in enumerate(rows, start=1) if talked]


@given(COURSES, st.booleans())
def test_never_two_at_once_and_in_order(rows, closed):
    sessions, talked = drawn(rows)
    found = of(sessions, *talked, closed=closed)
    for one, next_one in pairwise(found):
        assert one.began <= one.ended < next_one.began
    assert all((r.ended is None) == r.goes_on for r in found)
    assert not (closed and any(r.ended is None for r in found))


@given(COURSES, st.booleans())
def test_what_a_state_means(rows, closed):
    sessions, talked = drawn(rows)
    found = dict(zip((s.number for s in sessions), findings(sessions, FORMER), strict=True))
    calls = {number for number, raised in found.items() if any(f.on_work_list for f in raised)}
    for r in of(sessions, *talked, closed=closed):
        within = [s.total for s in sessions if s.total is not None and r.began <= s.number <= (r.ended or 99)]
        since = within[1:]
        assert r.began in calls
        assert (within[0], min(within), within[-1], len(since)) == (r.total, r.lowest, r.latest, r.ratings)
        assert set(r.talked) == {n for n in talked if r.began <= n <= (r.ended or 99)}
        after = [
            s
            for s in sessions
            if s.total is not None and max(r.talked, default=99) < s.number <= (r.ended or 99)
        ]
        assert r.after_talk == len(after)
        assert r.stays_low_after_talk == (bool(after) and r.state in {STILL_LOW, NOT_BACK})
        assert r.goal > r.total or (r.is_low_start and len(since) >= 4)
        assert (r.before is None) == (r.is_low_start and len(since) < 4)
        last = max(s.number for s in sessions if s.total is not None)
        if r.state in {OPEN, DISCUSSED}:
            assert not since
            assert bool(r.talked) == (r.state is DISCUSSED)
        elif r.state is RECOVERED:
            assert sum(since[-2:]) >= 2 * r.goal
            assert r.ended not in calls
        elif r.state is BACK_ONCE:
            assert since[-1] >= r.goal
            assert last not in calls
        elif r.state is NOT_BACK:
            assert len(since) >= 3
            assert r.back_at is None
            assert not r.is_low_start
        elif r.state in {RECOVERING, STILL_LOW}:
            assert since[-1] < r.goal or last in calls
            half_way = since[-1] - r.total >= r.goal - since[-1]
            assert (r.state is RECOVERING) == (half_way and since[-1] >= min(within) + 20)
        else:
            assert r.ended is not None


@given(COURSES, st.integers(0, 14))
def test_what_has_ended_does_not_change_when_sessions_are_added(rows, cut):
    """What has recovered, or ended with a change of form, is so for good; and where each began, and its goal."""
    sessions, talked = drawn(rows)
    early = of(sessions[:cut], *[n for n in talked if n <= cut])
    later = of(sessions, *talked)[: len(early)]
    for one, same in zip(early, later, strict=True):
        assert (one.began, one.rules) == (same.began, same.rules)
        if not one.is_low_start or one.before is not None:
            assert (one.goal, one.before) == (same.goal, same.before)
        if one.ended is not None:
            assert one == same


@given(COURSES)
def test_every_call_for_a_talk_lies_in_a_rupture(rows):
    sessions, _ = drawn(rows)
    found = of(sessions)
    for session, raised in zip(sessions, findings(sessions, FORMER), strict=True):
        if any(f.on_work_list for f in raised):
            assert any(r.began <= session.number <= (r.ended or 99) for r in found)
