"""Labels: what is stored, what is refused, and when two of them are the same or may be taken for the same."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import assume, given
from hypothesis import strategies as st

from alliance.labels import clean_label, look_alike_key, search_key

TEXTS = st.text(max_size=40)
WRITTEN = TEXTS | st.text(st.characters(categories=["L", "Nd", "Mn", "Zs", "Pd"]), max_size=40)
FORMS = st.sampled_from(["NFC", "NFD"])
CASES = st.sampled_from([str.lower, str.upper, str.title, str.swapcase, str.casefold])


def accepted(text):
    try:
        return clean_label(text)
    except ValidationError:
        return None


# --- What is stored ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  K-1 ", "K-1"),
        ("Anna\u00a0 \t K.\n", "Anna K."),
        ("A\u0308gir 7", "Ägir 7"),
        ("عمر ١", "عمر ١"),
        ("☀\ufe0f", "☀"),
        ("", ""),
    ],
)
def test_a_label_is_stored_in_one_form(typed, stored):
    assert clean_label(typed) == stored


@given(WRITTEN)
def test_what_is_stored_is_stored_as_it_is(text):
    label = accepted(text)
    assume(label is not None)
    assert clean_label(label) == label
    assert unicodedata.is_normalized("NFC", label)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("K\u200b-1", "cannot be seen, after “K” (zero width space)"),
        ("K-1\ufeff", "cannot be seen, after “K-1”"),
        ("K\u00ad1", "soft hyphen"),
        ("K\x001", "control character"),
        ("\u3164", "cannot be seen, at the beginning (hangul filler)"),
        ("K\u034f1", "cannot be seen"),
        ("K\U000e01001", "cannot be seen"),
        ("\u202e1-K", "changes the direction of writing, at the beginning (right-to-left override)"),
        ("K\u20661\u2069", "changes the direction"),
        ("K\u200f1", "changes the direction"),
        ("K\ue0001", "not the same on every device"),
        ("Z\u0301\u0302\u0303\u0304\u0305\u0306", "more than 4 accents"),
        ("\u0301K", "stands on no letter"),
    ],
)
def test_zero_width_bidirectional_and_heaped_characters_pass_no_label(typed, said):
    with pytest.raises(ValidationError, match=r"Delete it|accents|Type the letter") as refused:
        clean_label(typed)
    assert said in refused.value.messages[0]
    assert typed not in refused.value.messages[0], "the sentence itself must not be turned round"


@given(WRITTEN, st.sampled_from("\u200b\u200d\u2060\ufeff\u00ad\u061c\u200e\u202e\u2067\U000e0041"))
def test_no_label_holds_what_nobody_sees(text, unseen):
    assert accepted(f"a{text}{unseen}b") is None


# --- What is found -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        ("Ägir 7", "ägir"),
        ("Ägir 7", "agir"),
        ("Ägir 7", "a\u0308gir"),
        ("Élodie B.", "élodie"),
        ("Жанна К.", "жанна"),
        ("Søren", "soren"),
        ("Straße 3", "STRASSE"),
        ("İpek", "ipek"),
        ("Łukasz", "lukasz"),
        ("K–12", "k-12"),
        ("O’Neil", "o'neil"),
        ("عمر ١٢", "12"),
        ("ＫＡ１", "ka1"),
        ("K-1", "K\u200b-1"),
    ],
)
def test_a_label_is_found_however_it_is_typed(label, asked):
    assert search_key(asked) in search_key(label)


@given(WRITTEN, FORMS, CASES)
def test_any_case_and_any_form_of_a_label_has_its_key(text, form, case):
    label = accepted(text)
    assume(label is not None)
    assert search_key(unicodedata.normalize(form, case(label))) == search_key(label)


@given(TEXTS)
def test_a_key_is_its_own_key(text):
    assert search_key(search_key(text)) == search_key(text)


@given(WRITTEN, st.data())
def test_a_part_of_a_label_finds_it(text, data):
    label = accepted(text)
    assume(label)
    start = data.draw(st.integers(0, len(label) - 1))
    end = data.draw(st.integers(start + 1, len(label)))
    assert search_key(label[start:end]) in search_key(label)


# --- What looks the same -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("K-1", "К-1"),  # a Cyrillic K
        ("k-1", "к-1"),
        ("Anna", "Аnna"),
        ("K-10", "K-1O"),
        ("K-1", "K-l"),
        ("K-1", "K-I"),
        ("Ωmega Ν", "Ωmega N"),
        ("A.B.", "A B"),
        ("K–1", "K 1"),
        ("Ζeta", "Zeta"),
        ("Ä.", "A."),
    ],
)
def test_look_alikes_have_one_key(one, other):
    assert clean_label(one) != clean_label(other)
    assert look_alike_key(one) == look_alike_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("K-1", "K-11"), ("A.L.", "A.I."), ("AB", "A B"), ("1-12", "11-2"), ("N-1", "V-1"), ("+", "-")],
)
def test_others_have_not(one, other):
    assert look_alike_key(one) != look_alike_key(other)
    assert search_key(one) != search_key(other)


@given(WRITTEN)
def test_every_label_has_a_look(text):
    assert look_alike_key(text) or not search_key(text)
