"""Partial ratings speak where it is certain, one rupture does not hide the next, a line left out twice is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import Parameters, findings, question, sentence
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.parameters import ANY_CHANGE
from alliance.measurement.scoring import at_most
from alliance.measurement.simulate import LINES
from alliance.measurement.trends import usual_range
from tests.measurement.courses import course, even, last, letters, rated, tenths, unrated

RATING = get(SESSION_RATING)


def after(*totals, partial) -> list:
    return [*course(*totals), rated(len(totals) + 1, *partial)]


# --- bounds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "bound"),
    [((5, 5, 5, None), 250), ((0, None, None, None), 300), ((9, 9, 9, 9), None), ((None,) * 4, None)],
)
def test_a_missing_line_counts_as_the_best_mark_and_no_total_is_known(marks, bound):
    session = rated(1, *marks)
    assert at_most(RATING, session.answers) == bound
    assert (session.total is None) == (None in session.answers.values())


def test_a_partial_rating_of_an_instrument_of_reversed_items_counts_them_the_other_way_round():
    form = get("arm-5")
    answers = {item.id: item.minimum for item in form.items}
    reverse = next(item.id for item in form.items if item.reverse)
    best = {**answers, reverse: None}
    assert at_most(form, best) == at_most(form, {**best, form.items[0].id: form.items[0].minimum})


@pytest.mark.parametrize(("mark", "raised"), [(8.6, "A+"), (8.7, "B")])
def test_a_is_raised_where_the_best_marks_leave_it_true(mark, raised):
    assert letters([rated(1, mark, mark, 8.7, None)])[-1] == raised


def test_a_certain_level_is_said_as_a_bound_and_without_a_total():
    found = last([rated(1, 5.1, 5, 6, None)], "A")
    assert found.evidence["at_most"] == 261
    assert "total" not in found.evidence
    assert sentence(found, RATING) == (
        "At most 26.1 whatever was left out: below the level at which it is usual to ask about the session (36.0). "
        "Ask what would have made it a little better."
    )


def test_a_certain_first_level_is_a_low_start_and_the_rating_after_it_none():
    sessions = [rated(1, 5, 5, 5, None), rated(2, 5, 5, 5, None), even(3, 200)]
    found = [next(f for f in each if f.rule == "A") for each in findings(sessions, Parameters())]
    assert [(f.is_new, f.on_work_list) for f in found] == [(True, True), (False, False), (True, False)]


def test_a_partial_rating_is_nobodys_previous():
    low = (5, 5, 5, None)
    sessions = [even(1, 380), rated(2, *low), rated(3, *low), even(4, 350)]
    assert letters(sessions)[1:] == ["A+ C", "A+ C G L", "A+"]


@pytest.mark.parametrize(("mark", "calls"), [(8.0, True), (8.1, False)])
def test_a_certain_fall_of_six_calls(mark, calls):
    found = last(after(40, partial=(mark, 8, 8, None)), "C")
    assert found.on_work_list is calls
    assert sentence(found, RATING).startswith("At most 34")
    assert "so at least" in sentence(found, RATING)


def test_a_lasting_fall_is_certain_with_the_best_marks():
    found = last(after(*[40] * 8, partial=(9.3, 9.3, 9.4, None)), "J")
    assert found is not None
    assert found.evidence["at_most"] == 380
    assert last(after(*[40] * 8, partial=(9.4, 9.3, 9.4, None)), "J") is None
    assert sentence(found, RATING) == (
        "At most 38.0 whatever was left out. Lower for a while: the last three ratings average 39.0, with the latest "
        "counting most; the six before them averaged 40.0. What was left out is counted at its most favourable."
    )


def test_a_partial_rating_does_not_make_the_next_one_quiet():
    sessions = [*course(*[40] * 6), rated(7, 8, 8, 8, None), even(8, 340)]
    assert [last(sessions[:n], "C").on_work_list for n in (7, 8)] == [True, True]


def test_b_is_silent_beside_a_certain_a():
    assert letters([rated(1, 5, 5, 5, None)]) == ["A+"]
    assert letters([rated(1, 5, 10, 10, None)]) == ["A+"]
    assert letters([rated(1, 7, 10, 10, None)]) == ["B"]


MARK = st.one_of(st.none(), st.integers(0, 100))
MARKS = st.tuples(MARK, MARK, MARK, MARK)
TOTALS = st.lists(st.integers(200, 400), max_size=10)


@given(TOTALS, MARKS, MARKS)
def test_what_is_certain_is_true_however_the_missing_lines_were_marked(totals, marks, filled):
    """Whatever the missing lines would have been, the complete rating raises what the partial one did."""
    before = [even(number, total) for number, total in enumerate(totals, start=1)]
    number = len(before) + 1
    partial = rated(number, *(None if mark is None else mark / 10 for mark in marks))
    whole = [
        100 if a is None and b is None else a if a is not None else b
        for a, b in zip(marks, filled, strict=True)
    ]
    complete = rated(number, *(mark / 10 for mark in whole))
    for work_list in (Parameters(), Parameters(work_list=ANY_CHANGE)):
        said, true = (findings([*before, one], work_list)[-1] for one in (partial, complete))
        certain = {(f.rule, f.on_work_list) for f in said if f.rule in "ACJ"}
        assert {rule for rule, _ in certain} <= {f.rule for f in true}
        assert {pair for pair in certain if pair[1]} <= {(f.rule, f.on_work_list) for f in true}


@given(TOTALS, MARKS)
def test_a_partial_rating_changes_nothing_that_comes_after_it(totals, marks):
    """But where it is the first of all: then a low start was told already."""
    before = [even(number, total) for number, total in enumerate([300, *totals], start=1)]
    after_it = even(len(before) + 2, 330)
    partial = rated(len(before) + 1, *(None if mark is None else mark / 10 for mark in marks))
    if partial.total is not None:
        return
    p = Parameters(enabled=frozenset("ACDEFJ"))
    assert findings([*before, partial, after_it], p)[-1] == findings([*before, after_it], p)[-1]


# --- masking -----------------------------------------------------------------------------------------------


def test_one_rupture_does_not_blind_the_next():
    before = [38, 38, 30, 30, 38, 38, 38, 38]
    seen, blind = Parameters(), Parameters(hold_within=400)
    assert last(course(*before, 32), "E", seen) is not None
    assert last(course(*before, 32), "E", blind) is None


def test_the_drawn_range_is_the_one_that_the_rule_uses():
    earlier = [tenths(x) for x in (38, 37.5, 30, 29.8, 37.5, 38)]
    usual = usual_range(earlier, Parameters())
    assert last(course(38, 37.5, 30, 29.8, 37.5, 38, usual.lowest / 10), "E") is None
    assert last(course(38, 37.5, 30, 29.8, 37.5, 38, usual.lowest / 10 - 0.1), "E") is not None
    assert usual.mean > sum(earlier) / 6


# --- a line left out ---------------------------------------------------------------------------------------


def test_a_line_left_out_twice_in_a_row_is_a_quiet_sign():
    found = last([rated(1, 9, None, 9, 9), rated(2, 9, None, 9, 9)], "L")
    assert (found.on_work_list, found.is_new) == (False, True)
    assert found.evidence == {"lines": ["goals"], "line": "goals"}
    assert sentence(found, RATING) == (
        "Left out twice in a row: goals and topics. This is not a low mark; ask whether the line is hard to answer."
    )
    assert question(found)


@pytest.mark.parametrize(
    "sessions",
    [
        [rated(1, 9, None, 9, 9), rated(2, 9, 9, None, 9)],
        [rated(1, 9, None, 9, 9), even(2, 360), rated(3, 9, None, 9, 9)],
        [rated(1, None, None, None, None), rated(2, 9, None, 9, 9)],
        [unrated(1), rated(2, 9, None, 9, 9)],
        [rated(1, 9, None, 9, 9)],
    ],
)
def test_it_is_none_where_it_was_not_the_same_line_twice(sessions):
    assert last(sessions, "L") is None


def test_a_session_without_any_mark_is_no_rating_between():
    assert last([rated(1, 9, None, 9, 9), unrated(2), rated(3, 9, None, 9, 9)], "L") is not None
    assert LINES[1] == "goals"
