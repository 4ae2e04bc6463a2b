import ast
from dataclasses import replace
from pathlib import Path

import pytest

import alliance.measurement
from alliance.measurement.instruments import SESSION_RATING, UnknownInstrument, all_instruments, get
from alliance.measurement.parameters import Parameters, statistical_parameters

PACKAGE = Path(alliance.measurement.__file__).parent
EVERY = pytest.mark.parametrize("instrument", all_instruments(), ids=lambda i: i.id)


def test_the_session_rating_has_four_lines_of_tenths():
    rating = get(SESSION_RATING)
    assert [item.id for item in rating.items] == ["relationship", "goals", "approach", "overall"]
    assert [item.label for item in rating.items] == [
        "relationship",
        "goals and topics",
        "approach",
        "overall",
    ]
    assert {(item.minimum, item.maximum) for item in rating.items} == {(0, 100)}
    assert rating.total_maximum == 400
    assert rating.cutoff_provisional
    assert not rating.licensed


def test_the_session_rating_uses_the_default_parameters():
    assert get(SESSION_RATING).parameters == Parameters()


def test_a_version_can_be_asked_for():
    assert get(SESSION_RATING, "2") is get(SESSION_RATING)


def test_an_earlier_edition_is_another_text_and_nothing_else():
    """What was marked in it is read in its own words, and scored by the lines and the cutoff of today."""
    first, newest = get(SESSION_RATING, "1"), get(SESSION_RATING)
    assert first.wordings["en"].title == "How was today?"
    assert first.wordings["en"].items["approach"].high_end == "It helped me a lot"
    assert replace(first, version="2", wordings=newest.wordings) == newest


TODAY = {"en": "today", "de": "heut", "es": "hoy", "fr": "aujourd", "ar": "اليوم"}
SESSION = {"en": "session", "de": "Sitzung", "es": "sesión", "fr": "séance", "ar": "الجلسة"}


@pytest.mark.parametrize("language", sorted(TODAY))
def test_the_form_asks_about_the_session_and_not_about_the_day(language):
    wording = get(SESSION_RATING).wordings[language]
    asked = [wording.title, *(line.question for line in wording.items.values())]
    assert all(SESSION[language] in question for question in asked), asked
    assert not any(TODAY[language] in question for question in asked), asked
    first = get(SESSION_RATING, "1").wordings[language]
    assert any(TODAY[language] in line.question for line in first.items.values()), "the control finds the day"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [(("mood-ring",), "There is no instrument called “mood-ring”."),
     ((SESSION_RATING, "99"), "There is no version 99 of “session-rating”.")],
)  # fmt: skip
def test_an_unknown_instrument_is_named_in_a_sentence(asked, sentence):
    with pytest.raises(UnknownInstrument) as caught:
        get(*asked)
    assert str(caught.value) == sentence
    assert isinstance(caught.value, KeyError)


@EVERY
def test_licensed_wording_is_never_shipped(instrument):
    assert not (instrument.licensed and instrument.wordings)
    assert instrument.licensed or instrument.wordings


@EVERY
def test_every_definition_is_consistent(instrument):
    ids = [item.id for item in instrument.items]
    assert len(set(ids)) == len(ids)
    assert all(item.minimum < item.maximum and item.label for item in instrument.items)
    assert {item for subscale in instrument.subscales.values() for item in subscale} <= set(ids)
    assert instrument.parameters.total_maximum == instrument.total_maximum
    assert instrument.cutoff_source.endswith(".")
    for wording in instrument.wordings.values():
        assert list(wording.items) == ids


@EVERY
def test_what_is_only_remembered_is_marked_provisional(instrument):
    if "memory" in instrument.cutoff_source:
        assert instrument.cutoff_provisional
        assert instrument.unconfirmed


@pytest.mark.parametrize(
    ("instrument_id", "items", "low", "high"),
    [("srs", 4, 0, 400), ("child-srs", 4, 0, 400), ("ors", 4, 0, 400), ("wai-sr", 12, 120, 600),
     ("arm-5", 5, 10, 70), ("haq-ii", 19, 190, 1140), ("taqs", 5, 10, 50)],
)  # fmt: skip
def test_ranges(instrument_id, items, low, high):
    instrument = get(instrument_id)
    assert (len(instrument.items), instrument.total_minimum, instrument.total_maximum) == (items, low, high)


@pytest.mark.parametrize(("form", "cutoff"), [("ors", 250), ("ors-adolescent", 280), ("child-ors", 320)])
def test_outcome_scales_are_companions_and_raise_no_flag(form, cutoff):
    companion = get(form)
    assert companion.companion
    assert companion.parameters.cutoff == cutoff
    assert companion.parameters.enabled == frozenset()
    assert companion.reliable_change == 50


def test_without_a_published_cutoff_a_and_b_are_off():
    instrument = get("wai-sr")
    assert instrument.statistical_only
    assert instrument.parameters.enabled == frozenset("CDEFGJL")
    p = instrument.parameters
    assert (p.sudden_fall, p.decline_fall, p.s0, p.flat_top) == (48, 24, 24, 598)


def test_shares_of_the_range_give_the_session_ratings_own_numbers():
    p = statistical_parameters(0, 400)
    assert (p.sudden_fall, p.decline_fall, p.s0, p.flat_top) == (40, 20, 20, 398)


@pytest.mark.parametrize(
    "wrong",
    [{"cutoff_operator": ">"}, {"sudden_fall": 0}, {"decline_fall": -1}, {"s0": 0}, {"own_range_minimum": 1},
     {"own_range_window": 3}, {"own_range_window": 60}, {"flat_top_sessions": 0}, {"missing_flag": 4},
     {"missing_flag": 0}, {"enabled": frozenset("AX")}, {"recovered_within": -1}, {"badge_fall": 0},
     {"total_maximum": 0}],
)  # fmt: skip
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\.$"):
        Parameters(**wrong)


def test_english_wording_is_short_enough_for_a_nine_year_old():
    wording = get(SESSION_RATING).wordings["en"]
    texts = [wording.introduction, *(w.question for w in wording.items.values())]
    for sentence in " ".join(texts).replace("?", ".").split("."):
        words = sentence.split()
        assert len(words) <= 12, sentence
        assert sum(map(len, words)) <= 4.6 * len(words), sentence


def test_both_ends_of_each_line_are_in_words():
    for wording in get(SESSION_RATING).wordings["en"].items.values():
        assert wording.low_end
        assert wording.high_end
        assert wording.low_end != wording.high_end


@pytest.mark.parametrize("module", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_measurement_knows_no_django_no_clock_and_nothing_above_it(module):
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.split(".")[0] not in {
                "django",
                "clients",
                "sessions_app",
                "time",
                "sqlite3",
            }
            assert not name.startswith("alliance") or name.startswith("alliance.measurement")
        # Moments may be compared, and none may be asked for.
        called = node.func if isinstance(node, ast.Call) else None
        asked = isinstance(called, ast.Attribute) and called.attr in {"now", "utcnow", "today"}
        assert not asked, f"{module}: {ast.unparse(node)}"
