"""What a course of totals says: tables at the boundary, in both directions."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement import instruments
from alliance.measurement.alliance_and_outcome import (
    Alliance,
    Case,
    alliance_of,
    case_of,
    is_not_improving_with_a_low_alliance,
    read_together,
)
from alliance.measurement.outcome import Outcome, is_on_the_good_side, place, read, step

ORS, PHQ = (
    instruments.get("ors"),
    instruments.get("phq-9"),
)  # high is good, reliable 5.0; low is good, reliable 6
LIFE = instruments.get("life-lines")  # ours: nothing is published
RATING = instruments.get("session-rating").parameters


@pytest.mark.parametrize(
    ("scale", "before", "now", "word", "arrow", "reliable", "size"),
    [
        (ORS, 200, 249, "better", "↑", "no", "+4.9"),
        (ORS, 200, 250, "better", "↑", "yes, better", "+5.0"),
        (ORS, 250, 200, "worse", "↓", "yes, worse", "−5.0"),
        (ORS, 250, 201, "worse", "↓", "no", "−4.9"),
        (ORS, 250, 250, "the same", "→", "no", ""),
        (PHQ, 150, 100, "better", "↓", "no", "−5"),
        (PHQ, 150, 90, "better", "↓", "yes, better", "−6"),
        (PHQ, 90, 150, "worse", "↑", "yes, worse", "+6"),
        (LIFE, 0, 400, "better", "↑", "cannot tell", "+40.0"),
        (replace(ORS, direction="none"), 0, 400, "higher", "↑", "cannot tell", "+40.0"),
        (replace(ORS, direction="none"), 400, 0, "lower", "↓", "cannot tell", "−40.0"),
    ],
)
def test_a_step(scale, before, now, word, arrow, reliable, size):
    one = step(scale, before, now)
    assert (one.word, one.arrow, one.reliable_in_words, one.signed) == (word, arrow, reliable, size)


@pytest.mark.parametrize(
    ("scale", "total", "said"),
    [
        (ORS, 249, "below 25.0"),
        (ORS, 250, "non-clinical range (from 25.0)"),
        (PHQ, 40, "below 5"),
        (PHQ, 50, "mild (from 5)"),
        (PHQ, 270, "severe (from 20)"),
        (LIFE, 300, ""),
        (ORS, None, ""),
    ],
)
def test_where_a_total_lies(scale, total, said):
    assert place(scale, total) == said


def test_a_cutoff_that_was_crossed_is_said():
    assert (
        step(ORS, 240, 250).crossed
        == "Crossed a cutoff: below 25.0 before, non-clinical range (from 25.0) now."
    )
    assert step(PHQ, 100, 90).crossed == "Crossed a cutoff: moderate (from 10) before, mild (from 5) now."
    assert step(PHQ, 140, 100).crossed == step(LIFE, 0, 400).crossed == ""


def test_the_good_side():
    assert [is_on_the_good_side(ORS, one) for one in (249, 250)] == [False, True]
    assert [is_on_the_good_side(PHQ, one) for one in (40, 50)] == [True, False]
    assert is_on_the_good_side(LIFE, 400) is is_on_the_good_side(replace(ORS, direction="none"), 400) is None


@pytest.mark.parametrize(
    ("scale", "totals", "outcome"),
    [
        (ORS, [], Outcome.CANNOT_TELL),
        (ORS, [180], Outcome.CANNOT_TELL),
        (ORS, [180, 229], Outcome.FLAT),
        (ORS, [180, 230], Outcome.UP),
        (ORS, [180, 300, 229], Outcome.FLAT),  # the last against the first
        (ORS, [230, 180], Outcome.FALLING),
        (ORS, [260, 290], Outcome.WELL),
        (ORS, [260, 240], Outcome.FLAT),
        (ORS, [300, 250], Outcome.FALLING),
        (PHQ, [150, 90], Outcome.UP),
        (PHQ, [40, 30], Outcome.WELL),
        (PHQ, [40, 100], Outcome.FALLING),
        (LIFE, [100, 400], Outcome.CANNOT_TELL),
    ],
)
def test_the_outcome(scale, totals, outcome):
    assert read(scale, totals).outcome == outcome


def test_in_words():
    assert read(ORS, []).sentence == "No total yet."
    assert read(ORS, [180]).sentence == "18.0 at the last time, below 25.0. One total is no course yet."
    assert read(ORS, [180, 255]).sentence == (
        "25.5 at the last time, non-clinical range (from 25.0); better by 7.5 points than at the first (18.0)."
    )
    assert "worse by 1 point than" in read(PHQ, [140, 150]).sentence
    assert read(LIFE, [180, 180]).sentence == "18.0 at the last time; the same as at the first (18.0)."


class TestTheAlliance:
    @pytest.mark.parametrize(
        ("total", "rules", "said"),
        [
            (None, "", Alliance.CANNOT_TELL),
            (359, "", Alliance.LOW),
            (359, "J", Alliance.LOW),
            (360, "", Alliance.FINE),
            (360, "AFG", Alliance.FINE),
            *((360, rule, Alliance.FALLING) for rule in "CDEJ"),
        ],
    )
    def test_with_a_cutoff(self, total, rules, said):
        assert alliance_of(total, RATING, rules=frozenset(rules)) == said

    def test_at_or_below(self):
        strict = replace(RATING, cutoff_operator="<=")
        assert alliance_of(360, strict, rules=frozenset()) == Alliance.LOW

    def test_without_a_cutoff(self):
        none = replace(RATING, cutoff=None)
        assert alliance_of(10, none, rules=frozenset()) == Alliance.CANNOT_TELL
        assert alliance_of(10, none, rules=frozenset("C")) == Alliance.FALLING


class TestTheFourCases:
    @pytest.mark.parametrize(
        ("outcome", "alliance", "case"),
        [
            (Outcome.UP, Alliance.FINE, Case.CARRY_ON),
            (Outcome.FLAT, Alliance.LOW, Case.ALLIANCE_FIRST),
            (Outcome.FLAT, Alliance.FINE, Case.METHOD_OR_GOALS),
            (Outcome.UP, Alliance.FALLING, Case.ASK),
            (Outcome.FALLING, Alliance.LOW, Case.ALLIANCE_FIRST),
            (Outcome.FALLING, Alliance.FINE, Case.METHOD_OR_GOALS),
            (Outcome.FLAT, Alliance.FALLING, Case.ALLIANCE_FIRST),
            (Outcome.WELL, Alliance.FINE, Case.CARRY_ON),
            (Outcome.WELL, Alliance.LOW, Case.ASK),
            (Outcome.CANNOT_TELL, Alliance.LOW, Case.CANNOT_TELL),
            (Outcome.FLAT, Alliance.CANNOT_TELL, Case.CANNOT_TELL),
        ],
    )
    def test_at_session_three(self, outcome, alliance, case):
        assert case_of(outcome, alliance, session=3) == case

    def test_flat_at_session_two_is_too_early_and_worse_is_not(self):
        assert case_of(Outcome.FLAT, Alliance.LOW, session=2) == Case.TOO_EARLY
        assert case_of(Outcome.FALLING, Alliance.LOW, session=2) == Case.ALLIANCE_FIRST

    def test_each_has_its_sentence_and_its_sources(self):
        said = read_together(Outcome.FLAT, Alliance.LOW, session=4, scale=ORS, parameters=RATING)
        assert said.sentence == (
            "No reliable change in how the client is doing, and the alliance is low: look at the alliance first."
        )
        assert said.of_the_outcome == (
            "ORS: flat, the last total against the first; 5.0 points or more are a reliable change (The scale's "
            "manual: 5 points)."
        )
        assert "low is below 36.0, the cutoff in force" in said.of_the_alliance

    def test_ours_has_nothing_published_and_says_so(self):
        said = read_together(
            read(LIFE, [100, 300]).outcome, Alliance.LOW, session=4, scale=LIFE, parameters=RATING
        )
        assert said.case == Case.CANNOT_TELL
        assert "cannot tell, for no reliable change is published" in said.of_the_outcome
        assert "Alliance: low" in said.of_the_alliance

    @pytest.mark.parametrize(("outcome", "alliance"), list(product(Outcome, Alliance)))
    def test_every_pair_has_a_sentence(self, outcome, alliance):
        for session in (1, 3):
            said = read_together(outcome, alliance, session=session, scale=ORS, parameters=RATING)
            assert said.sentence.endswith((".", "challenge."))
            assert "  " not in said.sentence
            assert said.of_the_alliance.endswith(".")

    @pytest.mark.parametrize(
        ("outcome", "alliance", "session", "is_one"),
        [
            (Outcome.FLAT, Alliance.LOW, 4, True),
            (Outcome.FALLING, Alliance.LOW, 9, True),
            (Outcome.FLAT, Alliance.LOW, 3, False),
            (Outcome.UP, Alliance.LOW, 9, False),
            (Outcome.CANNOT_TELL, Alliance.LOW, 9, False),
            (Outcome.FLAT, Alliance.FALLING, 9, False),
        ],
    )
    def test_the_reason_of_the_caseload(self, outcome, alliance, session, is_one):
        assert is_not_improving_with_a_low_alliance(outcome, alliance, session=session) is is_one


totals = st.lists(st.integers(0, 400), max_size=9)


@given(totals)
def test_turned_round_a_scale_says_the_opposite(found):
    """The same answers on a scale whose other end is the good one."""
    other = replace(ORS, direction="higher_is_worse", cutoffs=())
    plain = replace(ORS, cutoffs=())
    opposite = {Outcome.UP: Outcome.FALLING, Outcome.FALLING: Outcome.UP}
    said, turned = read(plain, found).outcome, read(other, found).outcome
    assert turned == opposite.get(said, said)


@given(totals, st.integers(0, 400))
def test_what_lies_between_first_and_last_changes_nothing_of_the_outcome(found, between):
    if len(found) >= 2:
        inside = [found[0], between, *found[1:]]
        assert read(ORS, inside).outcome == read(ORS, found).outcome


@given(totals)
def test_a_reliable_change_is_as_large_as_published_and_never_smaller(found):
    reading = read(ORS, found)
    is_large = len(found) > 1 and abs(found[-1] - found[0]) >= 50
    assert is_large == (reading.outcome in {Outcome.UP, Outcome.FALLING})
