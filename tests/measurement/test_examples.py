"""The example of each rule raises it, whatever the settings; its definition says what they are."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alliance.measurement import rule_words
from alliance.measurement.examples import example
from alliance.measurement.flag_rules import RULES, findings
from alliance.measurement.instruments import session_scales
from alliance.measurement.parameters import ALL_RULES, Parameters, statistical_parameters

LETTERS = pytest.mark.parametrize("letter", sorted(RULES))
chosen = st.builds(
    Parameters,
    cutoff=st.integers(200, 380),
    cutoff_operator=st.sampled_from(["<", "<="]),
    item_cutoff=st.integers(50, 95),
    sudden_fall=st.integers(5, 150),
    decline_fall=st.integers(1, 120),
    s0=st.integers(1, 60),
    nu0=st.integers(1, 10),
    own_range_minimum=st.integers(2, 6),
    own_range_window=st.integers(6, 12),
    flat_top=st.integers(380, 400),
    flat_top_sessions=st.integers(1, 6),
    missing_flag=st.integers(1, 3),
    missing_of=st.integers(3, 5),
    hold_within=st.integers(20, 80),
    lasting_fall=st.integers(5, 30),
    lasting_limit=st.integers(30, 120),
    enabled=st.just(ALL_RULES),
)


@LETTERS
@given(p=chosen)
@settings(max_examples=40, deadline=None)
def test_the_rules_raise_it_at_the_last_session_of_its_example(letter, p):
    shown = example(letter, p)
    if shown is None:
        # Such as a low line that a high cutoff silences: then there is no picture, not a false one.
        assert letter in "BEJ"
        return
    found = findings(shown.sessions, p)[-1]
    assert letter in [finding.rule for finding in found]
    assert shown.raised_at[-1] == shown.sessions[-1].number


@LETTERS
def test_as_shipped_every_rule_has_one(letter):
    assert example(letter, Parameters()) is not None


@pytest.mark.parametrize("scale", session_scales(), ids=lambda one: one.id)
@LETTERS
def test_every_form_has_one_of_each_rule_that_reads_it(letter, scale):
    is_read = rule_words.is_on(letter, scale.parameters)
    assert (example(letter, scale.parameters) is not None) == is_read
    assert is_read or letter in "AB"


@pytest.mark.parametrize("letter", "AB")
def test_where_a_form_has_no_level_there_is_none(letter):
    assert example(letter, statistical_parameters(0, 400)) is None
    assert not rule_words.is_on(letter, statistical_parameters(0, 400))


def test_an_unknown_rule_has_none():
    assert example("Z", Parameters()) is None


def test_control_an_example_that_raises_nothing_is_no_example():
    """A cutoff of 0: no total is below it."""
    assert example("A", Parameters(cutoff=0)) is None


OTHER = {
    "A": ({"cutoff": 340, "cutoff_operator": "<="}, "at or below 34.0;"),
    "B": ({"item_cutoff": 85}, "below 8.5,"),
    "C": ({"sudden_fall": 55}, "at least 5.5 points lower"),
    "D": ({"decline_fall": 33}, "at least 3.3 points."),
    "E": ({"own_range_minimum": 5, "own_range_window": 9}, "last 5 to 9 ratings"),
    "F": ({"flat_top": 395, "flat_top_sessions": 5}, "The last 5 ratings are all 39.5 or more."),
    "G": ({"missing_of": 4}, "1 of the 3 attended sessions"),
    "J": ({"lasting_fall": 15, "lasting_limit": 80}, "by 1.5 points or more"),
}


@pytest.mark.parametrize(("letter", "change", "words"), [(letter, *rest) for letter, rest in OTHER.items()])
def test_the_definition_says_the_settings_and_whether_the_rates_hold(letter, change, words):
    shipped, other = Parameters(), Parameters(**change)
    rule = RULES[letter]
    assert words in rule_words.definition(rule, other)
    assert words not in rule_words.definition(rule, shipped)
    assert rule_words.is_as_simulated(letter, shipped)
    assert not rule_words.is_as_simulated(letter, other)


@LETTERS
def test_every_definition_is_a_sentence(letter):
    assert rule_words.definition(RULES[letter], Parameters()).endswith(".")


def test_a_rule_that_is_switched_off_is_off():
    p = replace(Parameters(), enabled=frozenset("AC"))
    assert [letter for letter in "ABCDEFG" if rule_words.is_on(letter, p)] == ["A", "C"]
    assert "silent" not in rule_words.definition(RULES["B"], replace(p, enabled=frozenset("B")))


@pytest.mark.parametrize("letter", "ABF")
def test_without_a_level_the_definition_says_so(letter):
    p = replace(Parameters(), cutoff=None, item_cutoff=None, flat_top=None)
    assert rule_words.definition(RULES[letter], p) == rule_words.NO_LEVEL
