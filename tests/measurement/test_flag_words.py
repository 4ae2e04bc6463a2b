"""What is said about a flag: the line that fell, the sentence, the question, the handbook's entry."""

from dataclasses import replace

import pytest

from alliance.measurement import rule_words
from alliance.measurement.flag_rules import (
    RULES,
    Finding,
    Parameters,
    fallen_line,
    lowest_line,
    question,
    sentence,
)
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.parameters import ANY_CHANGE, LASTING_FALLS
from alliance.measurement.sentences import how_rare
from alliance.measurement.simulate import LINES
from tests.measurement.courses import course, even, last, letters, rated

RATING = get(SESSION_RATING)
ONLY = {letter: Parameters(enabled=frozenset(letter)) for letter in "ABCDEFG"}


def only(letter: str, sessions, **settings) -> list[str]:
    return letters(sessions, replace(ONLY[letter], **settings))


# --- lines -------------------------------------------------------------------------------------------------


def answers(*values):
    return dict(zip(LINES, values, strict=True))


@pytest.mark.parametrize(
    ("values", "line"),
    [((90, 80, 95, 85), "goals"), ((80, 80, 90, 90), "relationship"), ((None, 90, None, 80), "overall"),
     ((None,) * 4, None)],
)  # fmt: skip
def test_lowest_line(values, line):
    assert lowest_line(answers(*values)) == line


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        ((100, 100, 100, 100), (98, 90, 95, 100), "goals"),
        ((100, 60, 100, 100), (90, 58, 100, 100), "relationship"),
        ((100, 95, 100, 100), (95, 90, 100, 100), "goals"),
        ((90, 90, 90, 90), (90, 95, 92, 91), "relationship"),
        ((None, 90, 90, 90), (10, 89, 90, 90), "goals"),
        ((90, 90, 90, 90), (None, None, 95, 94), "overall"),
        ((90, 90, 90, 90), (None,) * 4, None),
    ],
)
def test_the_line_that_fell_most(before, now, line):
    assert fallen_line(answers(*before), answers(*now)) == line


def test_without_earlier_answers_the_lowest_line_stands_in():
    assert fallen_line(None, answers(90, 80, 95, 85)) == "goals"


def test_a_decline_names_the_line_that_fell_over_the_window():
    sessions = [rated(1, 10, 10, 9.5, 9.5), rated(2, 10, 9, 9.5, 9.5), rated(3, 10, 8, 9.5, 9.5),
                rated(4, 9, 7.9, 9.5, 9.5)]  # fmt: skip
    assert last(sessions, "D").evidence["line"] == "goals"
    assert fallen_line(sessions[2].answers, sessions[3].answers) == "relationship"


def test_instruments_with_reversed_items_name_no_line():
    statistical = get("wai-sr").parameters
    assert "line" not in last([even(1, 500), even(2, 400)], "C", statistical).evidence


# --- words -------------------------------------------------------------------------------------------------


def said(letter: str, *totals) -> str:
    return sentence(last(course(*totals), letter), RATING)


@pytest.mark.parametrize(
    ("letter", "totals", "words"),
    [
        ("A", (34.5,), "Today's total is below the level at which it is usual to ask about the session "
                       "(34.5; level 36.0). Ask what would have made it a little better."),
        ("C", (38.5, 34), "4.5 points lower than last time. In our model, falls of 4.0 points or more happen by "
                         "chance in about 9 of 100 sessions; ask before you interpret."),
        ("D", (38.6, 38, 37, 35.9),
         "Over the last four ratings, each is lower than the one before (38.6 to 35.9)."),
        ("D", (39, 38, 38.2, 37, 36), "The last five ratings have mostly fallen."),
        ("E", (40, 40, 40, 40, 36),
         "Below this client's own usual range (36.1 to 40.0, from 4 earlier ratings)."),
        ("F", (40,) * 4, "Four ratings at the top of the scale. It may simply be good; say that critical "
                         "remarks are welcome and ask for the smallest thing to change."),
        ("G", (None, 40, None), "No rating for 2 of the last 3 sessions. A gap is not a low score."),
    ],
)  # fmt: skip
def test_what_the_therapist_reads(letter, totals, words):
    assert said(letter, *totals) == words


@pytest.mark.parametrize(
    ("lower", "share"),
    [
        (4, "9 of 100"),
        (5.9, "9 of 100"),
        (6, "4 of 100"),
        (8, "2 of 100"),
        (12, "5 of 1,000"),
        (17, "1 of 1,000"),
    ],
)
def test_how_rare_a_fall_is_grows_with_its_size(lower, share):
    assert f"by chance in about {share} sessions" in said("C", 38, 38 - lower)


def test_what_the_model_does_not_know_is_not_counted():
    smaller = replace(Parameters(), sudden_fall=20)
    assert "It may be chance; ask" in sentence(last(course(38, 35), "C", smaller), RATING)
    assert how_rare(60, RATING).startswith("In our model, falls of 6.0 points or more")
    assert how_rare(60, replace(RATING, total_maximum=100)) == "It may be chance"


def test_a_question_about_a_line_that_stands_apart_is_asked_of_no_two_equal_lines():
    """Seen: *your mark for the two of us stands a little apart*, where both marks were 7.0."""
    apart, equal = (last([rated(1, *values)], "B") for values in ((8.2, 10, 10, 10), (8.2, 8.2, 10, 10)))
    assert apart.evidence["line"] == "relationship"
    assert "line" not in equal.evidence
    assert question(equal) == question("B", "overall")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((10, 8.2, 10, 10), "One line is lower than the rest: goals and topics 8.2."),
        ((10, 8.2, 8, 10), "Two lines are lower than the rest: goals and topics 8.2, approach 8.0."),
        ((8.5, None, None, None), "Each line answered is below 9.0: relationship 8.5."),
    ],
)
def test_what_the_therapist_reads_about_low_lines(values, words):
    assert sentence(last([rated(1, *values)], "B"), RATING) == words


@pytest.mark.parametrize(
    ("letter", "totals", "words"),
    [
        ("A", (34.5,), "The total is below"),
        ("C", (38.5, 34), "4.5 points lower than the rating before."),
    ],
)
def test_on_a_later_day_nothing_speaks_of_today_nor_of_last_time(letter, totals, words):
    assert sentence(last(course(*totals), letter), RATING, today=False).startswith(words)


def test_a_level_that_goes_on_says_where_it_began():
    """The short form says how much lower; the sentence says than what."""
    assert "(33.0; level 36.0; 34.5 when this began)" in said("A", 38, 34.5, 33)
    assert "(35.0; level 36.0)" in said("A", 38, 34.5, 35)


def test_the_inclusive_cutoff_is_said_as_such():
    found = last(course(36), "A", Parameters(cutoff_operator="<="))
    assert "at or below the level" in sentence(found, RATING)


def test_a_finding_asks_about_its_own_line():
    found = last([rated(1, 10, 8.2, 10, 10)], "B")
    assert question(found) == question("B", "goals")
    assert question(found, "approach") == question("B", "approach")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.letter)
def test_the_handbook_entry_is_whole(rule):
    assert RULES[rule.letter] is rule
    for text in (rule.definition, rule.source, rule.not_meaning):
        assert text.endswith(".")
    assert rule.not_meaning.startswith("It does not mean")
    assert not rule.is_simulated or 0 < rule.per_session < rule.in_ten < 1


@pytest.mark.parametrize(("work_list", "letters"), [(LASTING_FALLS, "ACJ"), (ANY_CHANGE, "ACDE")])
def test_the_list_says_which_rules_call(work_list, letters):
    p = Parameters(work_list=work_list)
    assert "".join(letter for letter in RULES if rule_words.calls(letter, p)) == letters
    assert "6" in rule_words.calls("C", Parameters())
    assert rule_words.calls("C", Parameters(sudden_fall=70)) == "whenever it is raised"


def test_findings_compare_by_value():
    assert Finding("F", True, False, {}) == Finding("F", True, False, {})
