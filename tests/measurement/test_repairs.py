"""Ruptures and repairs: each state at its boundary, each edge, and what holds for every course."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import Parameters, findings
from alliance.measurement.instruments import get
from alliance.measurement.parameters import ANY_CHANGE
from alliance.measurement.repairs import RepairState, Rupture, returned, ruptures
from tests.measurement.courses import course, even, rated, tenths, unrated

# The list of before: each new sign begins one, and a fall of 4.0 calls.
FORMER = Parameters(work_list=ANY_CHANGE)
OPEN, DISCUSSED, RECOVERING, RECOVERED, UNREPAIRED = RepairState


def of(sessions, *talked: int, closed=False, parameters=None) -> list[Rupture]:
    p = parameters or FORMER
    return ruptures(sessions, findings(sessions, p), talked, is_closed=closed, parameters=p)


def only(*totals, talked=(), **settings) -> Rupture:
    """The one rupture of a course written in points."""
    (rupture,) = of(course(*totals), *talked, **settings)
    return rupture


# --- its state ---------------------------------------------------------------------------------------------


# The client's median before is 38.0: the goal is 37.0.
@pytest.mark.parametrize(
    ("after", "talked", "state", "ended"),
    [
        ((), (), OPEN, None),
        ((), (3,), OPEN, None),
        ((), (4,), DISCUSSED, None),
        ((33.0,), (4,), DISCUSSED, None),
        ((32.9,), (4,), DISCUSSED, None),
        ((33.0,), (), OPEN, None),
        ((33.1,), (), RECOVERING, None),
        ((33.1,), (4,), RECOVERING, None),
        ((36.9,), (4, 5), RECOVERING, None),
        ((37.0,), (), RECOVERED, 5),
        ((40.0,), (4,), RECOVERED, 5),
        ((34.5, 32.5), (4,), DISCUSSED, None),
        ((34.5, 33.0), (4,), DISCUSSED, None),
        ((32.5, 32.6), (4,), RECOVERING, None),
        ((28.0, 34.0, 29.0), (4,), DISCUSSED, None),  # higher than the lowest, and a sudden fall
        ((28.0, 34.0, 29.0), (), OPEN, None),
        ((28.0, 34.0, 29.0, 29.5), (4,), RECOVERING, None),
        ((None, None), (4,), DISCUSSED, None),
        ((None, 37.0), (), RECOVERED, 6),
        ((36.9, 36.9, 37.0), (), RECOVERED, 7),
    ],
)
def test_how_far_it_has_come(after, talked, state, ended):
    rupture = only(38, 37.5, 38.5, 33.0, *after, talked=talked)
    assert (rupture.began, rupture.goal, rupture.state, rupture.ended) == (4, 370, state, ended)


@pytest.mark.parametrize("after", [(), (36.9,), (33.1, 32), (None,)])
def test_closed_before_it_recovered_it_ended_unrepaired(after):
    rupture = only(38, 37.5, 38.5, 33.0, *after, closed=True)
    assert (rupture.state, rupture.ended) == (UNREPAIRED, 4 + len(after))


def test_closed_after_it_recovered_it_stays_recovered():
    assert only(38, 37.5, 38.5, 33.0, 37.0, 37.0, closed=True).state is RECOVERED


def test_what_a_rupture_tells():
    assert only(38, 37.5, 38.5, 33.0, 32.0, 34.0, talked=(4, 5)) == Rupture(
        began=4, ended=None, state=RECOVERING, rules=("C", "A"), before=Fraction(380), goal=370,
        total=330, previous=385, lowest=320, talked=(4, 5),
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


def test_a_new_flag_within_belongs_to_it():
    # 32.0 is a C of its own, 28.0 another: one rupture, deeper.
    rupture = only(38, 38, 37, 32, 28, 34)
    assert (rupture.began, rupture.total, rupture.lowest, rupture.state) == (4, 320, 280, RECOVERING)


def test_after_a_recovery_the_next_flag_begins_another():
    first, second = of(course(38, 38, 38, 33, 38, 33), 4, 6)
    assert (first.began, first.ended, first.state, first.talked) == (4, 5, RECOVERED, (4,))
    assert (second.began, second.ended, second.state, second.talked) == (6, None, DISCUSSED, (6,))


def test_a_continuing_a_begins_none():
    # A client whose usual ratings are below the cutoff: recovered at 33.0 and still below, quietly.
    assert [r.began for r in of(course(34, 36, 34, 34, 34))] == [1, 3]


# --- the goal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operator", "goal"), [("<", 360), ("<=", 361)])
def test_a_first_rating_below_the_cutoff_has_the_cutoff_as_its_goal(operator, goal):
    p = replace(FORMER, cutoff_operator=operator)
    rupture = only(34, goal / 10 - 0.1, parameters=p)
    assert (rupture.before, rupture.previous, rupture.goal) == (None, None, goal)
    assert rupture.state is RECOVERING
    assert only(34, goal / 10, parameters=p).state is RECOVERED


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
    # The median before is 33.0, so 35.5 is no fall; it is recovered where a rating is higher than that.
    rupture = of(course(33, 33, 33, 36, 35.5))[-1]
    assert (rupture.began, rupture.goal, rupture.state) == (5, 356, OPEN)
    assert of(course(33, 33, 33, 36, 35.5, 35.5))[-1].state is OPEN
    assert of(course(33, 33, 33, 36, 35.5, 35.6))[-1].state is RECOVERED


def test_a_session_that_calls_for_a_talk_again_is_no_recovery():
    # Decline (S = -8) at 38.0, which would be back within a point of 39.0.
    sessions = course(41, 40, 39, 34, 38.0)
    p = replace(FORMER, total_maximum=410, cutoff=None)
    assert [f.rule for f in findings(sessions, p)[-1]] == ["D", "J"]
    (rupture,) = of(sessions, parameters=replace(p, recovered_within=20))
    assert (rupture.goal, rupture.state) == (380, RECOVERING)


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
    assert (rupture.lowest, rupture.state, rupture.ended) == (330, OPEN, None)


def test_talks_count_from_its_beginning_to_its_end():
    assert only(38, 38, 33, 34, 38, 38, talked=(2, 3, 4, 5, 6)).talked == (3, 4, 5)
    assert only(38, 38, 33, 34, 36, None, talked=(6, 3)).talked == (3, 6)


def test_nothing_rated_nothing_ruptured():
    assert of([], closed=True) == []
    assert of(course(None, None), 1, closed=True) == []


# --- what may be counted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "back"),
    [
        (
            (38, 33, 37),
            None,
        ),  # back, but only one rating since: those that are not back yet are not counted either
        ((38, 33, 34, 35), None),
        ((38, 33, 34, 35, 37), True),
        ((38, 33, 34, 35, 36.9), False),
        ((38, 33, 37, 30, 30), True),
        ((38, 33, 34, 35, 36, 38), False),  # the fourth rating is too late
        ((38, 33, None, 34, None, 35, 37), True),
        ((34, 35, 35, 36), None),  # no median to return to
    ],
)
def test_whether_it_returned_within_three_ratings(totals, back):
    sessions = course(*totals)
    assert returned(of(sessions)[0], sessions) is back


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
    assert all((r.ended is None) == (r.state in {OPEN, DISCUSSED, RECOVERING}) for r in found)
    assert not (closed and any(r.ended is None for r in found))


@given(COURSES, st.booleans())
def test_what_a_state_means(rows, closed):
    sessions, talked = drawn(rows)
    found = dict(zip((s.number for s in sessions), findings(sessions, FORMER), strict=True))
    calls = {number for number, raised in found.items() if any(f.on_work_list for f in raised)}
    falls = {number for number, raised in found.items() if any(f.rule == "C" for f in raised)}
    for r in of(sessions, *talked, closed=closed):
        within = [s.total for s in sessions if s.total is not None and r.began <= s.number <= (r.ended or 99)]
        assert r.began in calls
        assert (within[0], min(within)) == (r.total, r.lowest)
        assert set(r.talked) == {n for n in talked if r.began <= n <= (r.ended or 99)}
        assert r.goal > r.total
        if r.state is RECOVERED:
            assert within[-1] >= r.goal
            assert r.ended not in calls
        elif r.state is RECOVERING:
            assert r.lowest < within[-1]
            assert max(s.number for s in sessions if s.total is not None) not in falls
        else:
            last = max(s.number for s in sessions if s.total is not None)
            assert r.state is UNREPAIRED or (
                (within[-1] == r.lowest or last in falls) and bool(r.talked) == (r.state is DISCUSSED)
            )


@given(COURSES, st.integers(0, 14))
def test_what_has_ended_does_not_change_when_sessions_are_added(rows, cut):
    """What has recovered, or ended with a change of form, is so for good; and where each began, and its goal."""
    sessions, talked = drawn(rows)
    early = of(sessions[:cut], *[n for n in talked if n <= cut])
    later = of(sessions, *talked)[: len(early)]
    for one, same in zip(early, later, strict=True):
        assert (one.began, one.goal, one.rules, one.before) == (
            same.began,
            same.goal,
            same.rules,
            same.before,
        )
        if one.ended is not None:
            assert one == same


@given(COURSES)
def test_every_call_for_a_talk_lies_in_a_rupture(rows):
    sessions, _ = drawn(rows)
    found = of(sessions)
    for session, raised in zip(sessions, findings(sessions, FORMER), strict=True):
        if any(f.on_work_list for f in raised):
            assert any(r.began <= session.number <= (r.ended or 99) for r in found)
