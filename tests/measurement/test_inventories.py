"""Every inventory scored as its owner scores it: by hand, and by a second, slow implementation."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement import instruments
from alliance.measurement.instruments import MissingRule, forms_of, get, newest
from alliance.measurement.pack_file import read_pack
from alliance.measurement.scoring import (
    ReliableChange,
    band,
    changed_reliably,
    risk_answers,
    score,
)
from alliance.measurement.simulate import LINES
from alliance.measurement.wording_file import read_wording
from tests.measurement.inventory_keys import KEYS, slow_score, stated
from tests.measurement.wording_files import a_form, a_pack

FOUR_LINES = ("srs", "child-srs", "group-srs", "group-child-srs")
OUTCOME_LINES = ("ors", "child-ors", "ors-adolescent")


def scored(instrument_id):
    """The instrument with what the (invented) form of its owner states."""
    found = get(instrument_id)
    if not found.to_state:
        return found
    return read_wording(a_form(instrument_id, stated=stated(instrument_id)), ("en",)).scored


SCORED = {one: scored(one) for one in KEYS}


def lowest(instrument_id):
    """Every item marked at its lowest."""
    key = KEYS[instrument_id]
    return dict.fromkeys(range(1, key.items + 1), key.low)


def rising(instrument_id):
    """1, 2, 3 up to the highest answer, and from the lowest again."""
    key = KEYS[instrument_id]
    return {n: key.low + (n - 1) % (key.high - key.low + 1) for n in range(1, key.items + 1)}


def without_the_second(instrument_id):
    return {n: mark for n, mark in rising(instrument_id).items() if n != 2}


# Worked by hand. WAI, all lowest: 22 items at 1 and 14 turned ones at 7 are 120; WAI-S, rising: 1 to 7 and 1 to 5 are
# 43, and turning item 4 (4 to 4) and item 10 (3 to 5) makes 45; HAq-II, rising: three times 21 and a 1 are 64, of which
# the turned marks 4, 2, 5, 4, 1 become 3, 5, 2, 3, 6: 67; CORE-10, rising: twice 10, and 1, 2 become 3, 2: 22.
BY_HAND = [
    ("wai", lowest, 1200, {"bond": 300, "task": 420, "goal": 480}),
    ("wai", rising, 1470, {"bond": 520, "task": 480, "goal": 470}),
    ("wai", without_the_second, None, {"bond": 520, "task": None, "goal": 470}),
    ("wai-s", lowest, 240, {"task": 40, "bond": 40, "goal": 160}),
    ("wai-s", rising, 450, {"task": 90, "bond": 170, "goal": 190}),
    ("wai-s", without_the_second, None, {"task": None, "bond": 170, "goal": 190}),
    ("wai-sr", lowest, 120, {"task": 40, "bond": 40, "goal": 40}),
    ("wai-sr", rising, 330, {"task": 100, "bond": 140, "goal": 90}),
    ("wai-sr", without_the_second, None, {"task": None, "bond": 140, "goal": 90}),
    ("sai", lowest, 0, {}),
    ("sai", rising, 150, {}),
    ("sai", without_the_second, None, {}),
    ("br-wai", lowest, 240, {"bond": 120, "task and goal": 120}),
    ("br-wai", rising, 480, {"bond": 210, "task and goal": 270}),
    ("br-wai", without_the_second, None, {"bond": None, "task and goal": 270}),
    ("arm-28", lowest, 14,
     {"bond": 20, "partnership": 10, "confidence": 10, "openness": 22, "client initiative": 10}),
    ("arm-28", rising, 40,
     {"bond": 42, "partnership": 33, "confidence": 40, "openness": 38, "client initiative": 45}),
    ("arm-28", without_the_second, None,
     {"bond": None, "partnership": 33, "confidence": 40, "openness": 38, "client initiative": 45}),
    ("arm-5", lowest, 22, {}),
    ("arm-5", rising, 34, {}),
    ("arm-5", without_the_second, None, {}),
    ("calpas", lowest, 15,
     {"patient commitment": 20, "patient working capacity": 10,
      "therapist understanding and involvement": 10, "working strategy consensus": 20}),
    ("calpas", rising, 41,
     {"patient commitment": 45, "patient working capacity": 37,
      "therapist understanding and involvement": 38, "working strategy consensus": 43}),
    ("calpas", without_the_second, None,
     {"patient commitment": None, "patient working capacity": 37,
      "therapist understanding and involvement": 38, "working strategy consensus": 43}),
    ("haq-ii", lowest, 440, {}),
    ("haq-ii", rising, 670, {}),
    ("haq-ii", without_the_second, None, {}),
    ("haq", lowest, 110, {}),
    ("haq", rising, 360, {}),
    ("haq", without_the_second, None, {}),
    ("vpps", lowest, None, {f"scale {n}": 10 for n in range(7)}),
    ("vpps", rising, None, {f"scale {n}": mean for n, mean in enumerate((28, 29, 30, 31, 32, 28, 29))}),
    ("vpps", without_the_second, None,
     {f"scale {n}": mean for n, mean in enumerate((None, 29, 30, 31, 32, 28, 29))}),
    ("taqs", lowest, 10, {}),
    ("taqs", rising, 30, {}),
    ("taqs", without_the_second, None, {}),
    ("taqr", lowest, 20, {}),
    ("taqr", rising, 30, {}),
    ("taqr", without_the_second, None, {}),
    ("tasc-r", lowest, 180, {"bond": 120, "task": 60}),
    ("tasc-r", rising, 340, {"bond": 170, "task": 170}),
    ("tasc-r", without_the_second, None, {"bond": None, "task": 170}),
    ("phq-9", lowest, 0, {}),
    ("phq-9", rising, 120, {}),
    ("phq-9", without_the_second, None, {}),
    ("phq-8", lowest, 0, {}),
    ("phq-8", rising, 120, {}),
    ("phq-8", without_the_second, None, {}),
    ("gad-7", lowest, 0, {}),
    ("gad-7", rising, 90, {}),
    ("gad-7", without_the_second, None, {}),
    ("core-10", lowest, 80, {}),
    ("core-10", rising, 220, {}),
    ("core-10", without_the_second, None, {}),
]  # fmt: skip


def tenths(marks):
    return {f"item-{n}": 10 * mark for n, mark in marks.items()}


@pytest.mark.parametrize(("instrument_id", "marked", "total", "subscales"), BY_HAND)
def test_worked_by_hand(instrument_id, marked, total, subscales):
    found = score(SCORED[instrument_id], tenths(marked(instrument_id)))
    assert (found.total, found.subscales) == (total, subscales)
    assert slow_score(instrument_id, marked(instrument_id)) == (total, subscales)
    assert found.prorated_from is None


@pytest.mark.parametrize("instrument_id", [*FOUR_LINES, *OUTCOME_LINES])
@pytest.mark.parametrize(
    ("marks", "total"),
    [
        ((82, 91, 100, 0), 273),
        ((100, 100, 100, 100), 400),
        ((95, 88, 73, 90), 346),
        ((90, 90, None, 90), None),
    ],
)
def test_four_lines_worked_by_hand(instrument_id, marks, total):
    ids = [item.id for item in get(instrument_id).items]
    assert score(get(instrument_id), dict(zip(ids, marks, strict=True))).total == total


def test_every_instrument_has_its_examples():
    """At least three of each, one of them with something missing; another rater's form is scored as the client's."""
    counted = {one.id: [row for row in BY_HAND if row[0] == one.form_of] for one in newest()}
    ours_and_lines = {one.id for one in newest() if one.licence == "ours"} | {*FOUR_LINES, *OUTCOME_LINES}
    assert {one for one, rows in counted.items() if len(rows) < 3} - ours_and_lines == {"young-child-srs"}
    for rows in counted.values():
        assert not rows or any(marked is without_the_second for _id, marked, _total, _subscales in rows)


@pytest.mark.parametrize("instrument", newest(), ids=lambda one: one.id)
def test_the_form_of_another_rater_is_scored_as_the_clients(instrument):
    first = get(instrument.form_of)
    assert instrument in forms_of(first)
    alike = (instrument.items, instrument.subscales, instrument.score_method, instrument.direction)
    assert alike == (first.items, first.subscales, first.score_method, first.direction)
    assert len(instrument.raters) == 1


@pytest.mark.parametrize("instrument_id", KEYS)
@given(data=st.data())
def test_as_the_slow_implementation_scores_it(instrument_id, data):
    key = KEYS[instrument_id]
    numbers = st.integers(1, key.items)
    marks = dict.fromkeys(range(1, key.items + 1), 0)
    drawn = data.draw(st.lists(st.integers(key.low, key.high), min_size=key.items, max_size=key.items))
    marks = {n: drawn[n - 1] for n in marks}
    for gone in data.draw(st.sets(numbers, max_size=2)):
        del marks[gone]
    found = score(SCORED[instrument_id], tenths(marks))
    assert (found.total, found.subscales) == slow_score(instrument_id, marks)
    assert found.complete == (len(marks) == key.items)


@pytest.mark.parametrize("instrument_id", KEYS)
def test_the_range_of_the_total_is_reached_and_not_passed(instrument_id):
    """Every item at its good end is the highest total there is, every item at the other the lowest."""
    instrument = SCORED[instrument_id]

    def every(*, at_its_top: bool) -> dict[str, int]:
        return {
            item.id: item.maximum if item.reverse != at_its_top else item.minimum for item in instrument.items
        }

    ends = [score(instrument, every(at_its_top=top)) for top in (False, True)]
    totals = [one.total for one in ends]
    if instrument.has_total:
        assert totals == [instrument.total_minimum, instrument.total_maximum]
    else:
        assert totals == [None, None]


@pytest.mark.parametrize("instrument", newest(), ids=lambda one: one.id)
def test_nothing_is_scored_whose_reversed_items_nobody_has_stated(instrument):
    answers = {item.id: item.maximum for item in instrument.items}
    found = score(instrument, answers)
    unscored = "reverse" in instrument.unknown or not instrument.has_total
    assert (found.total is None) == unscored


@pytest.mark.parametrize("instrument", newest(), ids=lambda one: one.id)
def test_what_is_only_remembered_has_to_be_stated(instrument):
    assert bool(instrument.to_state) <= bool(instrument.unconfirmed)
    assert instrument.unknown <= instrument.to_state
    assert instrument.cutoffs == tuple(sorted(instrument.cutoffs))
    assert (instrument.reliable_change is None) == (not instrument.reliable_change_source)
    assert set(instrument.raters) <= set(instruments.RATERS)
    assert set(instrument.risk_items) <= {item.id for item in instrument.items}
    assert all(one.source for one in (*instrument.cutoffs, *instrument.risk_items.values()))


def test_wordings_that_are_shipped_name_their_owner():
    for instrument in newest():
        for wording in instrument.wordings.values():
            assert bool(wording.copyright) == (instrument.licence == "free"), instrument.id
            points = [wording.points_of(item.id) for item in instrument.items]
            assert instrument.format != "choices" or all(len(labels) == 4 for labels in points)


# --- Bands, reliable change, risk -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument_id", "total", "name"),
    [
        ("phq-9", 0, ""), ("phq-9", 40, ""), ("phq-9", 50, "mild"), ("phq-9", 90, "mild"),
        ("phq-9", 100, "moderate"), ("phq-9", 140, "moderate"), ("phq-9", 150, "moderately severe"),
        ("phq-9", 190, "moderately severe"), ("phq-9", 200, "severe"), ("phq-9", 270, "severe"),
        ("phq-8", 49, ""), ("phq-8", 50, "mild"), ("phq-8", 240, "severe"),
        ("gad-7", 40, ""), ("gad-7", 50, "mild"), ("gad-7", 99, "mild"), ("gad-7", 100, "moderate"),
        ("gad-7", 150, "severe"), ("gad-7", 210, "severe"),
        ("core-10", 100, ""), ("core-10", 110, "mild"), ("core-10", 150, "moderate"),
        ("core-10", 200, "moderate to severe"), ("core-10", 250, "severe"),
        ("ors", 249, ""), ("ors", 250, "non-clinical range"), ("child-ors", 319, ""),
        ("child-ors", 320, "non-clinical range"), ("ors-adolescent", 280, "non-clinical range"),
        ("wai", 2520, ""),
    ],
)  # fmt: skip
def test_bands_begin_where_they_are_published(instrument_id, total, name):
    found = band(get(instrument_id), total)
    assert (found.name if found else "") == name
    assert band(get(instrument_id), None) is None


@pytest.mark.parametrize(
    ("instrument_id", "before", "now", "answer", "way"),
    [
        ("ors", 200, 250, "yes", "better"), ("ors", 200, 249, "no", ""), ("ors", 250, 200, "yes", "worse"),
        ("phq-9", 180, 120, "yes", "better"), ("phq-9", 180, 121, "no", ""), ("phq-9", 60, 120, "yes", "worse"),
        ("gad-7", 100, 60, "yes", "better"), ("gad-7", 100, 70, "no", ""), ("gad-7", 0, 40, "yes", "worse"),
        ("core-10", 200, 140, "yes", "better"), ("core-10", 200, 150, "no", ""),
        ("phq-8", 200, 0, "cannot tell", ""), ("wai", 360, 2520, "cannot tell", ""),
        ("phq-9", None, 120, "cannot tell", ""), ("phq-9", 120, None, "cannot tell", ""),
        ("phq-9", 120, 120, "no", ""),
    ],
)  # fmt: skip
def test_reliable_change_is_told_with_its_way_or_not_at_all(instrument_id, before, now, answer, way):
    assert changed_reliably(get(instrument_id), before, now) == ReliableChange(answer, way)


@given(st.integers(0, 270), st.integers(0, 270))
def test_what_got_better_one_way_got_worse_the_other(before, now):
    there, back = (changed_reliably(get("phq-9"), *pair) for pair in ((before, now), (now, before)))
    assert there.answer == back.answer
    assert {there.way, back.way} in ({""}, {"better", "worse"})


@pytest.mark.parametrize(("instrument_id", "item"), [("phq-9", "item-9"), ("core-10", "item-6")])
def test_any_answer_above_the_lowest_about_self_harm_is_found(instrument_id, item):
    instrument = get(instrument_id)
    assert risk_answers(instrument, {item: 0}) == {}
    assert risk_answers(instrument, {item: None, "item-1": 30}) == {}
    assert risk_answers(instrument, {item: 10}) == {item: 10}
    assert risk_answers(get("phq-8"), {"item-8": 30}) == {}


# --- Missing answers ------------------------------------------------------------------------------


def test_nothing_is_prorated_without_the_owners_rule_and_the_clinics_switch():
    core = get("core-10")
    answers = {f"item-{n}": 20 for n in range(1, 11) if n != 7}
    assert score(core, answers).total is None
    found = score(core, answers, prorate=True)
    assert (found.total, found.prorated_from, found.complete) == (200, 9, False)
    del answers["item-8"]  # more than the owner lets be missing
    assert score(core, answers, prorate=True).total is None
    eleven = {f"item-{n}": 30 for n in range(1, 12)}
    assert score(get("wai-sr"), eleven, prorate=True).total is None  # no rule is published


def test_prorated_is_the_mean_of_what_was_answered_turned_as_always():
    """Nine answers: six of 1, 3 and 2 turned to 1 and 2, a 4: 6 + 1 + 2 + 4 = 13; 13 / 9 x 10 = 14.44."""
    marks = {1: 1, 2: 3, 3: 2, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 4}
    assert score(get("core-10"), tenths(marks), prorate=True).total == 144


def test_prorated_from_11_of_12_with_a_subscale():
    rule = MissingRule(MappingProxyType({"total": 11, "task": 3}), whole=True, source="invented")
    wai = replace(get("wai-sr"), missing=rule)
    marks = {n: 4 for n in range(1, 13) if n != 10} | {1: 5, 2: 2}
    found = score(wai, tenths(marks), prorate=True)
    # 9 of 4, 5 and 2 are 43; 43 x 12 / 11 = 46.9, in whole points 47. Task: 5 + 2 + 4 = 11; 11 x 4 / 3 = 14.7: 15.
    assert (found.total, found.prorated_from) == (470, 11)
    assert found.subscales == {"task": 150, "bond": 160, "goal": 160}
    assert found.subscales_prorated_from == {"task": 3}
    whole = score(wai, tenths(marks | {10: 4}), prorate=True)
    assert (whole.prorated_from, whole.subscales_prorated_from) == (None, {})


@given(st.integers(0, 4), st.integers(1, 10))
def test_prorating_what_is_all_alike_changes_nothing(mark, gone):
    marks = {n: 4 - mark if n in {2, 3} else mark for n in range(1, 11) if n != gone}
    assert score(get("core-10"), tenths(marks), prorate=True).total == 100 * mark


def test_four_lines_are_never_prorated():
    for one in instruments.session_scales():
        assert one.missing is None
        assert score(one, dict.fromkeys(LINES[:3], 90), prorate=True).total is None


def test_a_pack_gives_its_instrument_words_and_no_other_score():
    read = read_pack(a_pack(), ("en",))
    (wording,) = read.wordings
    assert wording.scored == get("core-10")
