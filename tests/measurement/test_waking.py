"""On the former list a continuing A is quiet until the total has fallen further than where A last called."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import Parameters, findings, is_work_list, sentence, strength
from alliance.measurement.instruments import SESSION_RATING, get, statistical_parameters
from alliance.measurement.parameters import ANY_CHANGE
from tests.measurement.courses import course, even, last, tenths, unrated

ONLY_A = Parameters(enabled=frozenset("A"), work_list=ANY_CHANGE)


def calls(*totals, parameters=ONLY_A) -> str:
    """By session: "n" for a new A, "w" for a woken one, "q" for a quiet one, "." for none."""
    signs = []
    for found in findings(course(*totals), parameters):
        level = next((f for f in found if f.rule == "A"), None)
        signs.append("." if level is None else "n" if level.is_new else "qw"[level.on_work_list])
    return "".join(signs)


@pytest.mark.parametrize(
    ("totals", "signs"),
    [
        ((35.0, 33.1), "nq"),
        ((35.0, 33.0), "nw"),
        ((35.0, 32.9), "nw"),
        ((35.0, 34.0, 33.0), "nqw"),  # from where it was new, not from the rating before
        ((35.0, 33.0, 31.1), "nwq"),
        ((35.0, 33.0, 31.0), "nww"),
        ((35.0, 32.0, 33.0), "nwq"),
        ((35.0, 32.0, 33.5, 31.5), "nwqq"),  # 2.0 lower than the last rating, but not than the last call
        ((35.0, 32.0, 34.0, 30.0), "nwqw"),
        ((35.0, 35.9, 33.9), "nqq"),
        ((35.0, None, 33.0), "n.w"),
        ((35.0, 36.0, 33.1), "n.n"),  # new again: a level of its own
        ((35.0, 36.0, 35.5, 33.6), "n.nq"),
        ((35.0, 36.0, 35.5, 33.5), "n.nw"),
    ],
)
def test_when_it_wakes(totals, signs):
    assert calls(*totals) == signs


def test_how_far_it_must_fall_is_a_setting():
    assert calls(35, 34, parameters=replace(ONLY_A, badge_fall=10)) == "nw"
    assert calls(35, 30.1, parameters=replace(ONLY_A, badge_fall=50)) == "nq"
    assert statistical_parameters(0, 400).badge_fall == 20


def test_a_woken_level_is_as_strong_as_a_new_one():
    new, quiet, woken = (last(course(*totals), "A", ONLY_A) for totals in ((35,), (35, 34), (35, 33)))
    assert strength(woken) == strength(new) < strength(quiet)
    assert [is_work_list(f) for f in (new, quiet, woken)] == [True, False, True]
    assert not woken.is_new


def test_its_evidence_says_what_it_is_compared_with():
    woken = last(course(35.5, 33.5, 31.2), "A", ONLY_A)
    assert (woken.evidence["called_at"], woken.evidence["fall_since_new"]) == (335, 43)
    assert "called_at" not in last(course(35.5, 34), "A", ONLY_A).evidence
    assert "called_at" not in last(course(35.5), "A", ONLY_A).evidence


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        ("<", "Still below the level, and 2.3 points lower than when this was last raised (31.2 after 33.5; "
              "level 36.0). Ask what has made it harder since."),
        ("<=", "Still at or below the level, and 2.3 points lower than when this was last raised (31.2 after 33.5; "
               "level 36.0). Ask what has made it harder since."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("today", [True, False])
def test_what_the_therapist_reads(operator, words, today):
    woken = last(course(35.5, 33.5, 31.2), "A", replace(ONLY_A, cutoff_operator=operator))
    assert sentence(woken, get(SESSION_RATING), today=today) == words


def test_each_form_has_a_level_of_its_own():
    sessions = [replace(even(n, tenths(t)), series=form) for n, t, form in
                ((1, 35, "one"), (2, 33, "two"), (3, 32, "two"), (4, 33, "one"))]  # fmt: skip
    found = [each[0] for each in findings(sessions, ONLY_A)]
    assert [(f.is_new, f.on_work_list) for f in found] == [
        (True, True), (True, True), (False, False), (False, True),
    ]  # fmt: skip


TOTALS = st.lists(st.one_of(st.none(), st.integers(250, 400)), max_size=14)


@given(TOTALS, st.integers(1, 60))
def test_between_two_calls_of_one_stretch_the_total_has_fallen_that_far(totals, badge_fall):
    sessions = [unrated(n) if t is None else even(n, t) for n, t in enumerate(totals, start=1)]
    called = None
    for session, found in zip(
        sessions, findings(sessions, replace(ONLY_A, badge_fall=badge_fall)), strict=True
    ):
        for level in found:
            assert level.on_work_list == (level.is_new or session.total <= called - badge_fall)
            if level.on_work_list:
                called = session.total
