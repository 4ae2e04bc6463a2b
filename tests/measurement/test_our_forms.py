"""Our own forms: whole in every language, short, in words of their own, and read by the rules that can read them."""

import re
from pathlib import Path

import pytest

import alliance.measurement
from alliance.measurement import instruments
from alliance.measurement.guesses import guess_wording
from alliance.measurement.instruments import SESSION_RATING, get
from alliance.measurement.parameters import Parameters
from alliance.measurement.wording_texts import LENGTHS

LANGUAGES = ("ar", "de", "en", "es", "fr")
OURS = tuple(one for one in instruments.newest() if one.licence == "ours")
FURTHER = tuple(one for one in OURS if one.id != SESSION_RATING)
EVERY = pytest.mark.parametrize("form", FURTHER, ids=lambda one: one.id)
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
# Words of the published four-line scales for children, and of those on how life goes, that ours keep away from.
THEIRS = re.compile(
    r"listen|important|hope we|wish we|individual|interpersonal|social|well-being|understood|respected"
)


def texts(wording):
    yield wording.title
    yield wording.introduction
    for line in wording.items.values():
        yield from (line.question, line.low_end, line.high_end)


def test_the_family_is_there():
    assert {one.id: (one.use, one.format, one.raters) for one in FURTHER} == {
        "caregiver-session-rating": ("questionnaire", "lines", ("caregiver",)),
        "child-session-rating": ("session_alliance", "faces", ("client",)),
        "couple-family-session-rating": ("session_alliance", "lines", ("client",)),
        "group-session-rating": ("session_alliance", "lines", ("client",)),
        "life-lines": ("questionnaire", "lines", ("client",)),
    }
    assert [one.id for one in instruments.newest()][:6] == [one.id for one in OURS], "before those of others"


@EVERY
def test_it_has_four_lines_on_the_range_of_the_session_rating_and_takes_a_minute(form):
    ours = get(SESSION_RATING)
    lines = [(item.minimum, item.maximum, item.step) for item in form.items]
    assert lines == [(item.minimum, item.maximum, item.step) for item in ours.items]
    assert (form.total_minimum, form.total_maximum, form.minutes) == (0, 400, 1)
    assert (form.direction, form.unconfirmed, form.licensed) == ("higher_is_better", "", False)
    if form.use == "session_alliance":
        assert [item.id for item in form.items] == [item.id for item in ours.items]


@EVERY
def test_nobody_has_signed_it_or_published_a_cutoff(form):
    assert form.signed_off == frozenset()
    assert (form.parameters.cutoff, form.parameters.item_cutoff, form.reliable_change) == (None, None, None)
    assert "nobody has tried it" in form.cutoff_source
    assert form.statistical_only == (form.use == "session_alliance")


@EVERY
def test_the_rules_read_it_by_the_limits_of_the_session_rating_or_not_at_all(form):
    if form.use == "questionnaire":
        assert form.parameters.enabled == frozenset()
        return
    without_levels = {"cutoff": None, "item_cutoff": None, "enabled": frozenset("CDEFGJL")}
    assert form.parameters == Parameters(**without_levels)


@EVERY
@EVERY_LANGUAGE
def test_every_text_is_there_and_fits_a_narrow_phone(form, language):
    assert set(form.wordings) == set(LANGUAGES)
    wording = form.wordings[language]
    assert list(wording.items) == [item.id for item in form.items]
    assert len(wording.title) <= LENGTHS["title"]
    assert len(wording.introduction) <= LENGTHS["introduction"]
    for line in wording.items.values():
        assert len(line.question) <= 100
        assert max(map(len, (line.low_end, line.high_end))) <= 30
        # Nothing that has to be broken within a word beside a button, at 320 pixels.
        assert all(len(word) <= 14 for end in (line.low_end, line.high_end) for word in end.split())


@EVERY
@EVERY_LANGUAGE
def test_its_sentences_are_short(form, language):
    sentences = [one for text in texts(form.wordings[language]) for one in re.split(r"[.:?؟]", text)]
    assert max(len(one.split()) for one in sentences) <= 15


@EVERY
def test_its_english_is_short_enough_for_a_nine_year_old(form):
    wording = form.wordings["en"]
    asked = " ".join([wording.introduction, *(line.question for line in wording.items.values())])
    for sentence in asked.replace("?", ".").split("."):
        words = sentence.split()
        assert len(words) <= 12, sentence
        assert sum(map(len, words)) <= 4.6 * len(words), sentence


@EVERY
@EVERY_LANGUAGE
def test_no_question_is_that_of_the_session_rating_in_another_form_but_where_it_asks_the_same(form, language):
    """An edition of the one is not by accident an edition of the other."""
    adult = {line.question for line in get(SESSION_RATING).wordings[language].items.values()}
    own = [line.question for line in form.wordings[language].items.values()]
    assert len(set(own)) == len(own)
    assert len(adult & set(own)) <= 1


@EVERY
def test_it_is_in_words_of_ours(form):
    for text in texts(form.wordings["en"]):
        assert not THEIRS.search(text.lower()), text


@pytest.mark.parametrize(
    ("language", "formal", "to_a_child"),
    [("de", r"\bSie\b|\bIhr", r"\b(du|dich|dir|deine?)\b"),
     ("fr", r"\bvous\b|\bvotre\b", r"\b(tu|toi|te|ta)\b"),
     ("es", r"\busted\b|\bsu\b", r"\b(te|tu|puedes|ti)\b")],
)  # fmt: skip
def test_a_child_is_spoken_to_as_a_child(language, formal, to_a_child):
    said = " ".join(texts(get("child-session-rating").wordings[language]))
    # “Sie zeigen uns”: the marks do.
    assert not re.search(formal, said.replace("Sie zeigen uns", ""))
    assert re.search(to_a_child, said.lower())


def test_the_introduction_of_a_child_says_what_the_faces_mean():
    faces = {"en": "face", "de": "Gesicht", "es": "cara", "fr": "visage", "ar": "الوجه"}
    for language, word in faces.items():
        assert get("child-session-rating").wordings[language].introduction.count(word) == 2


def test_the_page_of_our_forms_says_of_each_what_is_signed_off():
    page = (Path(alliance.measurement.__file__).parents[2] / "docs" / "our-forms.md").read_text("utf-8")
    columns = ("en", "es", "de", "fr", "ar")
    for form in FURTHER:
        (row,) = re.findall(rf"^\| {form.name} \|((?: (?:no|yes)[^|]*\|){{5}})$", page, re.M)
        said = [one.strip().startswith("yes") for one in row.strip("|").split("|")]
        assert {tag for tag, yes in zip(columns, said, strict=True) if yes} == form.signed_off


# --- Arabic --------------------------------------------------------------------------------------

# A command, or a verb in the present, would say whether a man or a woman reads it.
GENDERED = re.compile(r"\b(ضع|ضعي|فكر|فكّر|فكري|اختر|اختاري|تستطيع|تستطيعين|تشعر|تشعرين|أنتَ|أنتِ)\b")


@EVERY
def test_arabic_speaks_to_women_and_men_in_its_own_signs(form):
    for text in texts(form.wordings["ar"]):
        assert not re.search(r"[A-Za-z?,;]", text), text
        assert not GENDERED.search(text), text
        if text.startswith(("كيف", "هل")):
            assert text.endswith("؟"), text


@EVERY
def test_french_has_the_spaces_of_french(form):
    for text in texts(form.wordings["fr"]):
        assert not re.search(r"(?<![\u00a0\u202f])[?:;!]", text), text
        assert "'" not in text


# --- The guess of a therapist --------------------------------------------------------------------


@pytest.mark.parametrize("form", instruments.session_scales(), ids=lambda one: one.id)
def test_a_guess_has_the_lines_of_the_form_it_is_about(form):
    wording = guess_wording(form.id)
    assert list(wording.items) == [item.id for item in form.items]
    assert wording.language == "en"
    questions = [line.question for line in wording.items.values()]
    assert len(set(questions)) == len(questions)
    assert all(text.endswith("?") for text in [wording.title, *questions])
    assert all(line.low_end != line.high_end for line in wording.items.values())
    assert "Only you see" in wording.introduction


def test_a_guess_at_a_licensed_form_names_its_lines_and_has_no_word_of_it():
    assert (
        guess_wording("srs").items["goals"].question
        == "Where will the client mark the line “goals and topics”?"
    )


def test_nobody_guesses_what_is_no_rating_of_a_session():
    with pytest.raises(ValueError, match="Life lines is no rating of a session"):
        guess_wording("life-lines")
