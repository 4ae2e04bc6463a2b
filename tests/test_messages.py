"""Every sentence and every line of the client's form, in every language, compiled as it is written."""

import gettext
import importlib.util
import re

import pytest
from django.conf import settings
from django.utils.translation import to_locale

from alliance import languages
from alliance.measurement import instruments
from tests.test_repository import ROOT

SPEC = importlib.util.spec_from_file_location("messages", ROOT / "scripts" / "messages.py")
messages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(messages)

SAID = messages.sentences()
CATALOGUES = messages.catalogues()
OTHERS = {tag for tag, _name in settings.LANGUAGES} - {"en"}
EACH = pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda one: one.language)
TO_CHILDREN = messages.to_children()
EACH_TO_A_CHILD = pytest.mark.parametrize("catalogue", TO_CHILDREN, ids=lambda one: one.language)
FORMAL = {
    "de": re.compile(
        r"\b(Sie (?!sind|stehen|verschwinden|dürfen|werden)|Ihr(?! könnt)(?:e[nmrs]?)?\b|Ihnen\b)"
    ),
    "fr": re.compile(r"\b(votre|vos|[cv]euillez)\b|\bvous (?!pouvez les regarder)", re.I),
    "es": re.compile(r"\b(usted|su (?:frase|terapeuta)|sus (?:marcas|respuestas)|[Tt]oque)\b", re.I),
}
PLACES = re.compile(r"%\(\w+\)s")
QUOTES = {"es": "«»", "de": "„“", "fr": "«»", "ar": "«»"}


def test_every_language_has_a_catalogue_and_no_other_has():
    assert {one.language for one in CATALOGUES} == OTHERS


@EACH
def test_nothing_is_missing_uncertain_left_over_or_not_compiled(catalogue):
    assert catalogue.problems(SAID) == []


@EACH
def test_what_the_form_fills_in_is_in_the_translation_too(catalogue):
    for sentence, translation in catalogue.translations.items():
        assert sorted(PLACES.findall(sentence)) == sorted(PLACES.findall(translation)), sentence


@EACH
def test_quotes_and_marks_are_those_of_the_language(catalogue):
    for sentence, said in catalogue.translations.items():
        if "“" in sentence:
            assert [sign for sign in said if sign in "“”„«»\"'"] == list(QUOTES[catalogue.language]), said
        if catalogue.language == "ar" and sentence:
            assert not re.search(r"[?,;]", said), said
        if catalogue.language == "fr" and sentence:
            assert not re.search(r"(?<![\u00a0\u202f])[?:;!»](?!\n)|«(?!\u00a0)", said), said
            assert "'" not in said, said


@EACH
def test_the_compiled_file_is_one_that_gettext_reads(catalogue):
    with catalogue.compiled.open("rb") as file:
        read = gettext.GNUTranslations(file)
    assert all(read.gettext(sentence) == catalogue.translations[sentence] for sentence in SAID)


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        ("msgstr \"Zurück\"", "msgstr \"\"", ["de: not translated: Back", "de: not compiled"]),
        ("msgid \"Back\"", "#, fuzzy\nmsgid \"Back\"", ["de: uncertain: Back", "de: not compiled"]),
        ("msgstr \"Zurück\"", "msgstr \"Rückwärts\"", ["de: not compiled"]),
        (
            "msgid \"Back\"",
            "msgid \"Backwards\"",
            ["de: not translated: Back", "de: no longer said: Backwards", "de: not compiled"],
        ),
    ],
)  # fmt: skip
def test_control_each_fault_is_found(tmp_path, was, now, found):
    german = next(one for one in CATALOGUES if one.language == "de")
    copy = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    copy.parent.mkdir(parents=True)
    text = german.path.read_text("utf-8")
    assert was in text
    copy.write_text(text.replace(was, now), "utf-8")
    copy.with_suffix(".mo").write_bytes(german.compiled.read_bytes())
    assert messages.Catalogue(copy).problems(SAID) == found


def test_the_sentences_of_pages_and_of_python_are_found():
    assert SAID["Hand in"] == ["templates/rate/_inventory_review.html", "templates/rate/_review.html"]
    assert "A little towards “%(end)s”" in SAID
    assert "Please send the form again." in SAID


def test_a_catalogue_is_written_as_it_was_read(tmp_path):
    german = next(one for one in CATALOGUES if one.language == "de")
    copy = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    copy.parent.mkdir(parents=True)
    copy.write_text(german.path.read_text("utf-8"), "utf-8")
    messages.Catalogue(copy).write(SAID)
    assert copy.read_text("utf-8") == german.path.read_text("utf-8")


# --- What is said to a child ---------------------------------------------------------------------


def test_every_language_that_addresses_a_child_otherwise_says_so_and_has_a_catalogue():
    assert {one.around.language for one in TO_CHILDREN} == languages.SAID_OTHERWISE_TO_A_CHILD
    assert {to_locale(languages.to_a_child(tag)) for tag in languages.SAID_OTHERWISE_TO_A_CHILD} == {
        one.language for one in TO_CHILDREN
    }
    assert languages.to_a_child("ar") == "ar"


@EACH_TO_A_CHILD
def test_a_catalogue_for_children_is_whole_where_it_says_nothing_of_its_own(catalogue):
    assert catalogue.problems(SAID) == []
    with catalogue.compiled.open("rb") as file:
        read = gettext.GNUTranslations(file)
    around = catalogue.around.translations
    assert all(read.gettext(one) == catalogue.translations.get(one, around[one]) for one in SAID)
    # A change around it shows at once as not compiled.
    assert len(catalogue.translations) < len(around)


@EACH_TO_A_CHILD
def test_a_child_is_addressed_as_an_adult_nowhere_around_the_form(catalogue):
    """Of what stands in the pages of lines and of choices; promises are compared below."""
    language = catalogue.around.language
    of_pages = [
        sentence
        for sentence, places in SAID.items()
        if any(place.startswith("templates/rate/") for place in places)
    ] + [
        "Your therapist sees your answers.",
        "The therapists of this session see your marks.",
        "Please answer this question again.",
        "This answer did not arrive. Please look at it again.",
    ]
    said = {one: catalogue.translations.get(one, catalogue.around.translations[one]) for one in of_pages}
    assert {one: text for one, text in said.items() if FORMAL[language].search(text)} == {}
    # Control: to an adult it is said formally.
    assert any(FORMAL[language].search(catalogue.around.translations[one]) for one in of_pages)
    for sentence, text in catalogue.translations.items():
        assert sorted(PLACES.findall(sentence)) == sorted(PLACES.findall(text)), sentence
        if sentence:
            assert not FORMAL[language].search(text), text
            if language == "fr":
                assert not re.search(r"(?<!\u00a0)[?:;!»](?!\n)|'", text), text


# --- The lines -----------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", instruments.all_instruments(), ids=lambda one: one.id)
def test_our_own_wording_is_there_in_every_language_and_whole(instrument):
    if instrument.licence != "ours":
        return  # what is free to reproduce is shipped in its owner's languages
    assert set(instrument.wordings) == OTHERS | {"en"}
    for wording in instrument.wordings.values():
        assert set(wording.items) == {item.id for item in instrument.items}
        texts = [wording.title, wording.introduction]
        for line in wording.items.values():
            texts += [line.question, line.low_end, line.high_end]
            assert line.low_end != line.high_end
        assert all(texts)


@pytest.mark.parametrize("language", sorted(OTHERS))
def test_wording_is_its_own_and_short(language):
    ours = instruments.get(instruments.SESSION_RATING).wordings
    for item, line in ours[language].items.items():
        assert line.question != ours["en"].items[item].question
        assert len(line.question.split()) <= 14, line.question  # German names both: Therapeutin, Therapeut
    assert all(len(sentence.split()) <= 15 for sentence in re.split(r"[.:?؟]", ours[language].introduction))
