"""What a therapist can ask: whole in every language, open, without blame, and each in its turn."""

import re

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement import questions as module
from alliance.measurement.handbook import RULES
from alliance.measurement.questions import LONGEST, Way, languages, question_for, questions, ways_to_ask
from alliance.measurement.simulate import LINES

EVERY = pytest.mark.parametrize("language", sorted(languages()))
ALL = [
    (language, rule, line, text)
    for language in sorted(languages())
    for rule, lines in questions(language).items()
    for line, asked in lines.items()
    for text in asked
]


def shape(language: str) -> dict[str, dict[str, int]]:
    return {
        rule: {line: len(asked) for line, asked in of.items()} for rule, of in questions(language).items()
    }


def test_there_are_questions_in_the_languages_of_the_form_and_no_other():
    assert languages() == {tag for tag, _ in settings.LANGUAGES}


@EVERY
def test_every_rule_has_several_questions_for_every_line(language):
    asked = shape(language)
    assert set(asked) == set("ABCDEFGJL")
    assert set(asked) >= set(RULES)
    for rule, lines in asked.items():
        # Where nothing was rated, no line is known; of one left out there is one thing to ask.
        assert set(lines) == ({"overall"} if rule in "GL" else set(LINES)), rule
        assert min(lines.values()) >= 3, rule
    assert asked["F"]["overall"] >= 5, "several ways to invite a small criticism"
    assert asked["G"]["overall"] >= 5


@EVERY
def test_each_language_asks_the_same_in_each_place(language):
    assert shape(language) == shape("en")


def test_no_question_is_there_twice_or_left_untranslated():
    texts = [text for *_, text in ALL]
    assert len(texts) == len(set(texts))
    assert all(0 < len(text) <= 140 <= LONGEST for text in texts), "short enough to be said"


@EVERY
def test_knows_in_each_language_which_questions_are_about_today(language):
    """The rules that are about one session ask about the day; those about a course do not."""
    says = {rule for tag, rule, _, text in ALL if tag == language and Way(text, tag).says_today}
    assert says == {"A", "B", "C", "E", "F"}


def test_a_question_in_a_language_without_ours_may_be_about_today():
    assert Way("Hva var annerledes?", "nb", is_own=True).says_today


ASKS = {"ar": "؟"}
WORDS = {
    "en": r"\b(what|how|which|when|where)\b",
    "es": r"\b(qué|cómo|cuál|cuándo|cuánto|dónde|cuáles|quién)\b",
    "de": r"\b(was|wie|welche[rsmn]?|wann|wo|wohin|wofür|worüber|woran|wovon|worum)\b",
    "fr": r"\b(que|qu|quel|quels|quelle|quelles|comment|quand|où|quoi|lequel|laquelle|qui)\b",
    "ar": r"(ما|ماذا|كيف|متى|أين|أي|أيها|منذ متى|إلى ماذا)\b",
}


def test_each_ends_in_an_open_question():
    """Not one that a yes answers: the sentence that asks holds a word that opens it."""
    for language, *_, text in ALL:
        assert text.endswith(ASKS.get(language, "?")), text
        last = re.split(r"(?<=[.!])\s+", text)[-1]
        assert re.search(WORDS[language], last.lower()), text


FORBIDDEN = (
    *("risk", "patient", "customer", "survey", "alert", "metric", "case ", "ruptur", "suicid", "score"),
    *("riesgo", "cliente", "puntuación", "Risiko", "Klient", "Punktzahl", "risque", "score", "alliance"),
    *("your fault", "why did you", "why do you", "warum", "pourquoi", "por qué", "لماذا"),
)


def test_words_stay_neutral():
    found = [(text, word) for *_, text in ALL for word in FORBIDDEN if word.lower() in text.lower()]
    assert found == []


def test_marks_are_those_of_the_language():
    for language, _, _, text in ALL:
        if language == "ar":
            assert not re.search(r"[?,;A-Za-z]", text), text
        if language == "fr":
            assert not re.search(r"(?<!\u00a0)[?:;!]|'", text), text
        if language == "es":
            assert text.count("¿") == text.count("?"), text
        if language in ("en", "de"):
            assert not re.search(r"[¿\u00a0]|\s\?", text), text


# --- Turns -----------------------------------------------------------------------------------------

letters, items = st.sampled_from("ABCDEFGJL"), st.sampled_from([None, *LINES])
tags, owns = st.sampled_from(sorted(languages())), st.lists(st.text(min_size=1), max_size=5)


@given(letter=letters, item=items, language=tags, own=owns, turn=st.integers(-5, 10**9))
def test_as_many_turns_as_there_are_questions_ask_each_of_them_once(letter, item, language, own, turn):
    ways = ways_to_ask(letter, item, turn=turn, language=language, own=own)
    following = [
        ways_to_ask(letter, item, turn=turn + step, language=language, own=own)[0]
        for step in range(len(ways))
    ]
    assert following == list(ways)
    assert [way.text for way in ways if way.is_own] or not own
    assert sorted(way.text for way in ways if way.is_own) == sorted(own)
    again = ways_to_ask(letter, item, turn=turn + len(ways), language=language, own=own)
    assert again == ways


@given(letter=letters, item=items, language=tags, turn=st.integers(0, 10**9))
def test_the_next_turn_asks_another_question(letter, item, language, turn):
    asked = [question_for(letter, item, turn=turn + step, language=language) for step in (0, 1, 2)]
    assert len(set(asked)) == 3


@pytest.mark.parametrize("letter", "ABCDEFJ")
def test_every_line_has_questions_of_its_own(letter):
    by_line = [set(questions("en")[letter][line]) for line in LINES]
    assert len(set().union(*by_line)) == sum(map(len, by_line))
    for line, asked in zip(LINES, by_line, strict=True):
        assert question_for(letter, line) in asked


@pytest.mark.parametrize("item", [None, "item-7", "goals"])
def test_without_questions_about_the_line_those_about_the_whole_are_asked(item):
    assert question_for("G", item) == questions("en")["G"]["overall"][0]


def test_an_unknown_language_gets_english_and_keeps_what_the_clinic_wrote_in_it():
    first, *_, last = ways_to_ask("G", None, language="pt", own=["Como foi?"])
    assert first == Way(questions("en")["G"]["overall"][0], "en")
    assert last == Way("Como foi?", "pt", is_own=True)
    with pytest.raises(KeyError):
        questions("pt")


@pytest.mark.parametrize("text", ["", " What?", "x" * (LONGEST + 1), "What is there already?"])
def test_a_file_with_a_fault_is_refused_with_its_place(text):
    faulty = {"A": {"goals": ("What is there already?", text)}}
    with pytest.raises(ValueError, match="en, A, goals"):
        module._refuse_faults(faulty, "en")
