import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.scoring import AnswerError, points, points_apart, scale_end, score, tenths_from_text
from alliance.measurement.simulate import LINES

RATING = get(SESSION_RATING)


def test_total_is_the_sum_in_tenths():
    scored = score(RATING, dict(zip(LINES, (82, 91, 100, 0), strict=True)))
    assert scored.total == 273
    assert scored.complete
    assert scored.answers == {"relationship": 82, "goals": 91, "approach": 100, "overall": 0}


@pytest.mark.parametrize("missing", LINES)
@pytest.mark.parametrize("how", ["absent", "none"])
def test_a_missing_line_leaves_no_total(missing, how):
    answers = dict.fromkeys(LINES, 90)
    if how == "absent":
        del answers[missing]
    else:
        answers[missing] = None
    scored = score(RATING, answers)
    assert scored.total is None
    assert not scored.complete
    assert scored.answers[missing] is None


def test_no_answer_at_all_is_an_empty_rating():
    assert score(RATING, {}).answers == dict.fromkeys(LINES)


@pytest.mark.parametrize("wrong", [-1, 101, 8.2, 90.0, True, False, "90", [], float("nan")])
def test_an_impossible_answer_is_refused_by_name(wrong):
    with pytest.raises(AnswerError) as caught:
        score(RATING, {"goals": wrong})
    assert caught.value.item == "goals"
    assert "goals and topics" in caught.value.sentence


def test_an_unknown_line_is_refused():
    with pytest.raises(AnswerError, match="no line called") as caught:
        score(RATING, {"mood": 50})
    assert caught.value.item == "mood"


def test_reversed_items_are_turned_before_the_mean():
    arm = get("arm-5")
    scored = score(arm, {f"item-{n}": 70 if n != 3 else 10 for n in range(1, 6)})
    assert scored.total == 70
    assert scored.answers["item-3"] == 10  # as given: turning belongs to the score


@pytest.mark.parametrize(
    ("answers", "mean"),
    [((10, 10, 70, 10, 10), 10), ((20, 20, 60, 20, 30), 22), ((20, 20, 70, 20, 20), 18)],
)
def test_mean_is_in_whole_tenths(answers, mean):
    assert score(get("arm-5"), {f"item-{n}": a for n, a in enumerate(answers, 1)}).total == mean


def test_half_a_tenth_goes_upward():
    assert score(get("taqs"), dict.fromkeys([f"item-{n}" for n in range(1, 6)], 30)).total == 30
    pair = {"item-1": 20, "item-2": 30, "item-3": 30, "item-4": 30, "item-5": 30}
    assert score(get("taqs"), pair).total == 28


def test_subscales_have_their_own_gaps():
    answers = {f"item-{n}": 40 for n in range(1, 13) if n != 1}
    scored = score(get("wai-sr"), answers)
    assert scored.total is None
    assert scored.subscales == {"task": None, "bond": 160, "goal": 160}


def test_answers_between_two_marks_are_refused():
    with pytest.raises(AnswerError, match="between two possible marks"):
        score(get("wai-sr"), {"item-1": 35})


def test_an_unscored_instrument_never_has_a_total():
    scored = score(get("young-child-srs"), {"faces": 100})
    assert scored.total is None
    assert scored.complete


@given(st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=4, max_size=4))
def test_a_total_exists_exactly_when_every_line_does(values):
    scored = score(RATING, dict(zip(LINES, values, strict=True)))
    assert scored.total == (None if None in values else sum(values))
    assert list(scored.answers.values()) == values


@pytest.mark.parametrize(
    ("typed", "tenths"),
    [
        ("8.2", 82), ("8,2", 82), (" 8 ", 80), ("", None), ("   ", None), ("0", 0), ("0.0", 0), ("10", 100),
        ("10.0", 100), ("10,0", 100), ("٨٫٢", 82), ("٨.٢", 82), ("۸٫۲", 82), ("८.२", 82), ("१०", 100),
        ("\u200f٨٫٢", 82), ("08", 80), ("\u00a07.5", 75),
    ],
)  # fmt: skip
def test_what_a_person_types(typed, tenths):
    assert tenths_from_text(typed) == tenths


@pytest.mark.parametrize(
    "typed",
    ["NaN", "nan", "Infinity", "-inf", "1e3", "1E1", "-0", "-1", "+8", "101", "10.1", "11", "8.25", "8,20",
     "8.", ".5", "8.2.1", "8,2,1", "8 2", "0x8", "eight", "8/10", "½", "٨٫٢٥", "8'2", "\x00", "1" * 5000,
     "８", "8_2"],
)  # fmt: skip
def test_what_is_not_a_mark_is_refused_in_plain_words(typed):
    with pytest.raises(AnswerError, match=r"^Please give .*\.$") as caught:
        tenths_from_text(typed, item="goals")
    assert caught.value.item == "goals"


def test_too_many_decimals_has_its_own_sentence():
    with pytest.raises(AnswerError, match="at most one decimal"):
        tenths_from_text("8.25")


@given(st.integers(0, 100), st.sampled_from(".,٫"))
def test_text_and_tenths_agree(tenths, mark):
    assert tenths_from_text(points(tenths).replace(".", mark)) == tenths
    assert tenths_from_text(f"{tenths // 10}{mark}{tenths % 10}") == tenths


@given(st.text(max_size=8))
def test_any_text_is_a_mark_nothing_or_a_sentence(text):
    try:
        tenths = tenths_from_text(text)
    except AnswerError:
        return
    assert tenths is None or 0 <= tenths <= 100


@pytest.mark.parametrize(
    ("tenths", "text"), [(345, "34.5"), (360, "36.0"), (0, "0.0"), (5, "0.5"), (-45, "-4.5"), (-5, "-0.5")]
)
def test_no_figure_stands_without_its_decimal_beside_others_that_have_one(tenths, text):
    assert points(tenths) == text
    assert points_apart(tenths) == f"{text} points"


@pytest.mark.parametrize(("tenths", "text"), [(400, "40"), (0, "0"), (100, "10"), (75, "7.5")])
def test_the_ends_of_a_scale_are_whole(tenths, text):
    assert scale_end(tenths) == text
