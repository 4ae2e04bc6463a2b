"""Each rule at its boundaries, and every edge on which two implementations could differ."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.flag_rules import (
    RULES,
    STRENGTH,
    Parameters,
    findings,
    is_work_list,
    question,
    sentence,
    strength,
)
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.parameters import ANY_CHANGE
from alliance.measurement.simulate import LINES
from tests.measurement.courses import course, even, last, letters, rated, unrated

RATING = get(SESSION_RATING)
ONLY = {letter: Parameters(enabled=frozenset(letter)) for letter in "ABCDEFG"}


def only(letter: str, sessions, **settings) -> list[str]:
    return letters(sessions, replace(ONLY[letter], **settings))


# --- A -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "flags"), [(35.9, "A+"), (36.0, ""), (36.1, ""), (0, "A+"), (40, "")])
def test_a_is_strictly_below_the_cutoff(total, flags):
    assert only("A", course(total)) == [flags]


@pytest.mark.parametrize(("total", "flags"), [(35.9, "A+"), (36.0, "A+"), (36.1, "")])
def test_a_may_include_the_cutoff(total, flags):
    assert only("A", course(total), cutoff_operator="<=") == [flags]


def test_a_is_new_on_the_first_complete_rating_and_after_each_return():
    assert only("A", course(35, 34, 36, 35, 35)) == ["A+", "A", "", "A+", "A"]


def test_a_first_complete_rating_may_come_late():
    sessions = [unrated(1), rated(2, 10, 9, 9, None), *course(0, 0, 35)[2:]]
    assert only("A", sessions) == ["", "", "A+"]


def test_a_looks_past_a_gap_at_the_previous_complete_rating():
    assert only("A", course(38, None, 35, None, 34)) == ["", "", "A+", "", "A"]


def test_a_with_the_clinics_own_cutoff():
    assert only("A", course(34.0, 33.9), cutoff=340) == ["", "A+"]


def test_a_off_without_a_cutoff():
    assert only("A", course(10), cutoff=None) == [""]


def test_a_continuing_tells_how_far_it_has_fallen_since_it_was_new():
    falls = [
        findings(course(35.5, total), ONLY["A"])[1][0].evidence["fall_since_new"]
        for total in (35.5, 33.6, 33.5)
    ]
    assert falls == [0, 19, 20]


def test_a_counts_the_further_fall_from_where_it_was_last_new():
    assert last(course(30, 36, 35.5, 35, 33), "A").evidence["fall_since_new"] == 25


# --- B -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "flags"), [(8.9, "B"), (9.0, ""), (9.1, "")])
def test_b_is_strictly_below_nine(line, flags):
    assert only("B", [rated(1, 10, line, 10, 10)]) == [flags]


def test_b_is_silent_where_a_holds():
    assert letters([rated(1, 8.9, 9, 9, 9)]) == ["A+"]
    assert letters([rated(1, 8.9, 9.1, 9, 9)]) == ["B"]


def test_b_speaks_where_a_is_switched_off():
    assert only("B", [rated(1, 5, 5, 5, 5)]) == ["B"]


def test_b_sees_the_answered_lines_of_a_partial_rating():
    assert letters([rated(1, 8.2, None, None, None)]) == ["B"]
    assert letters([rated(1, None, 9, 9, 9)]) == [""]


def test_b_has_nothing_to_say_of_an_empty_rating():
    assert letters([rated(1, None, None, None, None), unrated(2)]) == ["", "G"]


def test_b_is_off_without_a_line_cutoff():
    assert only("B", [rated(1, 8, 10, 10, 10)], item_cutoff=None) == [""]


# --- C -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "flags"), [(34.1, "C"), (34.0, "C"), (34.2, ""), (40, "")])
def test_c_at_a_fall_of_four(now, flags):
    assert only("C", course(38.1, now)) == ["", flags]


def test_c_compares_with_the_previous_complete_rating():
    partial = rated(2, 10, 10, 10, None)
    assert only("C", [even(1, 390), partial, unrated(3), even(4, 350)]) == ["", "", "", "C"]


def test_c_needs_a_previous_rating():
    assert only("C", course(0)) == [""]


# --- D -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "flag", "s", "fall"),
    [
        ((39, 38, 37, 36.5), True, -6, 25),
        ((39, 38.8, 38.5, 38.2), False, None, None),
        ((39, 38, 38.2, 37, 36), True, -8, 30),
        ((40, 40, 39, 38, 37), True, -9, 30),
        ((39, 38.9, 38.8, 37.0), True, -6, 20),
        ((39, 38.9, 38.8, 37.1), False, None, None),
        ((39, 38, 37), False, None, None),
        ((39, 38, 38, 37), False, None, None),
        ((40, 40, 40, 39, 38), False, None, None),
        ((39, 38, 39, 37, 36), False, None, None),
        ((38, 39, 38, 37, 36), True, -6, 30),
        ((36, 39, 38, 37, 36), True, -6, 30),
        ((39, 39, 38, 37, 37), True, -8, 20),
    ],
)
def test_d_at_its_boundaries(totals, flag, s, fall):
    found = last(course(*totals), "D", ONLY["D"])
    assert bool(found) == flag
    if found:
        assert (found.evidence["s"], found.evidence["fall"]) == (s, fall)


def test_d_looks_at_complete_ratings_only():
    assert only("D", course(39, None, 38, None, 37, 36.5))[-1] == "D"


def test_d_fall_is_that_of_the_window_that_fired():
    # Five: S = -8 but a fall of 1.9 only. Four: S = -6 and 2.0.
    assert last(course(38.9, 39, 38.5, 38, 37), "D", ONLY["D"]).evidence["window"] == 4
    assert last(course(38.9, 39, 38.5, 38, 37.1), "D", ONLY["D"]) is None


# --- E -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "now", "flags"),
    [
        ((40, 40, 40, 40), 36.0, "E"),
        ((40, 40, 40, 40), 36.1, ""),
        ((38, 37.5, 38.5, 38, 37), 34.0, "E"),
        ((38, 37.5, 38.5, 38, 37), 34.1, ""),
        ((40, 40, 40), 0, ""),
    ],
)
def test_e_at_the_limit(history, now, flags):
    assert only("E", course(*history, now))[-1] == flags


def test_e_does_not_count_the_rating_it_judges_nor_those_before_the_last_eight():
    assert only("E", course(0, *[40] * 8, 36.5))[-1] == "E"
    assert last(course(0, *[40] * 8, 36.5), "E").evidence["earlier"] == 8


def test_e_skips_gaps():
    assert only("E", course(40, None, 40, 40, None, 40, 36))[-1] == "E"


# --- F -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "flags"),
    [((40, 40, 40, 40), "F"), ((39.8,) * 4, "F"), ((40, 40, 40, 39.7), ""), ((40, 40, 40), ""),
     ((30, 40, 40, 40, 40), "F"), ((40, 40, None, 40, 40), "F")],
)  # fmt: skip
def test_f_needs_four_at_the_top(totals, flags):
    assert only("F", course(*totals))[-1] == flags


# --- G -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "flags"),
    [
        ((None,), [""]),
        ((None, None), ["", "G"]),
        ((None, 40, None), ["", "", "G"]),
        ((None, 40, 40, None), ["", "", "", ""]),
        ((None, None, 40), ["", "G", ""]),
        ((None, None, None), ["", "G", "G"]),
        ((None, None, 40, None), ["", "G", "", "G"]),
    ],
)
def test_g_is_raised_where_the_rating_is_missing(totals, flags):
    assert only("G", course(*totals)) == flags


def test_g_a_partial_rating_is_no_complete_rating():
    assert only("G", [unrated(1), rated(2, 9, 9, 9, None)]) == ["", "G"]


def test_g_waits_until_the_rating_is_overdue():
    assert only("G", [unrated(1), unrated(2, overdue=False)]) == ["", ""]
    assert only("G", [unrated(1, overdue=False), unrated(2)]) == ["", ""]


def test_g_leaves_out_sessions_that_were_not_attended():
    absent = [unrated(2, attended=False), unrated(3, attended=False)]
    assert only("G", [unrated(1), *absent, unrated(4)]) == ["", "", "", "G"]
    assert only("G", absent) == ["", ""]


def test_g_counts_what_it_saw():
    assert last(course(None, None), "G").evidence == {"missing": 2, "of": 2}
    assert last(course(40, None, None, None), "G").evidence == {"missing": 3, "of": 3}


# --- all together ------------------------------------------------------------------------------------------


def test_no_session_no_finding():
    assert findings([], Parameters()) == []


def test_a_licensed_total_without_lines_is_read_too():
    sessions = [replace(session, answers=None) for session in course(40, 40, 40, 40, 35)]
    assert letters(sessions) == ["", "", "", "F", "A+ C E J"]
    assert "line" not in last(sessions, "C").evidence


def test_rules_can_be_switched_off():
    sessions = course(40, 40, 40, 40, 35)
    assert letters(sessions, Parameters(enabled=frozenset("CG")))[-1] == "C"
    assert letters(sessions, Parameters(enabled=frozenset())) == [""] * 5


@pytest.mark.parametrize(
    ("letter", "totals", "on_list"),
    [("A", (35,), True), ("A", (35, 35), False), ("C", (40, 36), True), ("D", (39, 38, 37, 36.5), True),
     ("E", (40, 40, 40, 40, 36), True), ("F", (40,) * 4, False), ("G", (None, None), False),
     ("J", (40, 36, 36), False)],
)  # fmt: skip
def test_the_former_work_list(letter, totals, on_list):
    found = last(course(*totals), letter, Parameters(work_list=ANY_CHANGE))
    assert found.on_work_list is on_list
    assert is_work_list(found) is on_list


@pytest.mark.parametrize(
    ("letter", "totals", "on_list"),
    [("A", (35.9,), True), ("A", (36, 35), False), ("A", (35, 36, 35), False), ("C", (40, 36), False),
     ("C", (40, 34.1), False), ("C", (40, 34), True), ("D", (39, 38, 37, 36.5), False),
     ("E", (40, 40, 40, 40, 36), False), ("J", (40, 36.2, 36.2), True), ("J", (40, 34, 34.1), False),
     ("F", (40,) * 4, False), ("G", (None, None), False)],
)  # fmt: skip
def test_work_list(letter, totals, on_list):
    found = last(course(*totals), letter)
    assert found.on_work_list is on_list
    assert is_work_list(found) is on_list


def test_b_is_not_on_the_work_list():
    assert not last([rated(1, 10, 8, 10, 10)], "B").on_work_list


def test_a_finding_is_new_when_the_rule_was_not_raised_before():
    found = findings(course(40, 36, 32, 32, 28), ONLY["C"])
    assert [f.is_new for each in found for f in each] == [True, False, True]


def test_triage_puts_the_strongest_first():
    found = findings(course(40, 40, 40, 40, 35), Parameters())[-1]
    assert [f.rule for f in sorted(found, key=strength)] == [
        "J",
        "C",
        "E",
        "A",
    ]  # what calls, then what is quiet
    found = findings(course(40, 40, 40, 40, 34), Parameters())[-1]
    assert [f.rule for f in sorted(found, key=strength)] == ["C", "J", "E", "A"]
    assert set(STRENGTH) == {*RULES, "A+"}


TOTALS = st.lists(st.one_of(st.none(), st.integers(0, 400)), max_size=14)


def from_tenths(totals):
    return [unrated(n) if t is None else even(n, t) for n, t in enumerate(totals, start=1)]


@given(TOTALS, st.integers(0, 14))
def test_the_past_is_never_judged_again(totals, cut):
    sessions = from_tenths(totals)
    assert findings(sessions, Parameters())[:cut] == findings(sessions[:cut], Parameters())


@given(TOTALS)
def test_evidence_is_json_and_every_finding_has_its_words(totals):
    for session, found in zip(from_tenths(totals), findings(from_tenths(totals), Parameters()), strict=True):
        assert [f.rule for f in found] == sorted({f.rule for f in found})
        for finding in found:
            assert json.loads(json.dumps(dict(finding.evidence))) == finding.evidence
            assert sentence(finding, RATING).endswith((".", "change."))
            assert question(finding)
            assert finding.evidence.get("line", LINES[0]) in (session.answers or LINES)


@given(TOTALS)
def test_a_gap_changes_nothing_but_g(totals):
    rated_only = [t for t in totals if t is not None]
    with_gaps = [
        f for t, f in zip(totals, letters(from_tenths(totals), no_g()), strict=True) if t is not None
    ]
    assert with_gaps == letters(from_tenths(rated_only), no_g())


def no_g() -> Parameters:
    return Parameters(enabled=frozenset("ABCDEFJ"))


@given(st.lists(st.integers(0, 399), min_size=2, max_size=12))
def test_one_tenth_higher_never_adds_a_level_or_a_fall(totals):
    raised = from_tenths([*totals[:-1], totals[-1] + 1])
    for letter in "ACE":
        assert only(letter, raised)[-1] in ("", only(letter, from_tenths(totals))[-1])
