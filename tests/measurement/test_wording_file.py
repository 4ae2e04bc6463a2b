"""The file a clinic loads: whole, in its own words, and every fault said with its place."""

import pytest

from alliance.measurement import instruments, wording_file
from alliance.measurement.wording_file import LENGTHS, MOST_BYTES, WordingError, decoded, read_wording
from tests.measurement.wording_files import ITEMS, a_file

LANGUAGES = ("en", "de", "ar")


def complaints(text: str) -> tuple[str, ...]:
    with pytest.raises(WordingError) as caught:
        read_wording(text, LANGUAGES)
    return caught.value.sentences


def test_a_whole_file_is_read():
    read = read_wording(a_file(title="  Two words  "), LANGUAGES)
    assert (read.instrument, read.edition) == (instruments.get("srs"), "2026")
    assert (read.wording.language, read.wording.title) == ("en", "Two words")
    assert list(read.wording.items) == list(ITEMS)
    assert read.wording.items["goals"].low_end == "Invented low_end about goals"


def test_line_breaks_of_any_system_and_a_byte_order_mark_do_no_harm():
    raw = b"\xef\xbb\xbf" + a_file().replace("\n", "\r\n").encode()
    assert read_wording(decoded(raw), LANGUAGES).edition == "2026"


def test_a_version_may_be_named():
    assert read_wording("version = '1'\n" + a_file(), LANGUAGES).instrument.version == "1"
    assert complaints("version = '9'\n" + a_file()) == ("instrument: There is no version 9 of “srs”.",)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"edition": None}, "edition: this is missing."),
        ({"title": " "}, "title: this is empty."),
        ({"language": "pt"}, "language: the form does not speak “pt”. It speaks en, de, ar."),
        ({"edition": "20/26"}, "edition: letters, digits, spaces, dots and dashes only, such as 2026 or 2026-b."),
        ({"goals__low_end": None}, "items.goals.low_end: this is missing."),
        ({"goals__low_end": ""}, "items.goals.low_end: this is empty."),
        ({"goals__high_end": "Invented low_end about goals"}, "items.goals: both ends say the same."),
        ({"extra": "x"}, "extra: a wording file has no such part."),
        ({"goals__colour": "x"}, "items.goals.colour: a line has no such part."),
        ({"goals__question": "a\tb"}, "items.goals.question: this holds a control character"),
        ({"goals__question": "a\u202eb"}, "items.goals.question: this holds a control character"),
        ({"instrument": "mood-ring"}, "instrument: There is no instrument called “mood-ring”."),
        ({"instrument": "session-rating"}, "instrument: Session rating comes with its own wording"),
        ({"instrument": "child-srs"}, "instrument: Child SRS is entered from paper only: its lines"),
    ],
)  # fmt: skip
def test_every_fault_is_said_with_its_place(changes, sentence):
    (complaint,) = complaints(a_file(**changes))
    assert complaint.startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (a_file() + "\n[items.mood]\nquestion = 'x'", "items.mood: SRS has no such line."),
        (a_file().replace("[items.goals]", "[items.other]"), "items.goals: this line is missing."),
        (a_file().replace("edition = '2026'", "edition = 2026"), "edition: this is not a text in quotes."),
        (a_file().split("[items")[0], "items: the lines are missing."),
        (a_file().split("[items")[0] + "items = 3", "items: this is not a table of lines"),
        (a_file().split("[items")[0] + "[items]\ngoals = 3", "items.goals: this is not a table"),
        ("title: words", "The file is not TOML: "),
        ("a = " + "[" * 20000, "nested too deep"),
        ("#" * (MOST_BYTES + 1), "longer than 64 KB"),
    ],
)
def test_every_broken_shape_is_said(text, sentence):
    assert any(sentence in one for one in complaints(text))


def test_all_faults_are_said_at_once():
    assert len(complaints(a_file(title="", goals__question="", language="pt"))) == 3


@pytest.mark.parametrize("part", ["title", "introduction", "edition", "question", "low_end"])
def test_length_ends_where_it_says(part):
    place = part if part in {"title", "introduction", "edition"} else f"goals__{part}"
    assert read_wording(a_file(**{place: "x" * LENGTHS[part]}), LANGUAGES)
    assert (
        f"longer than {LENGTHS[part]} characters"
        in complaints(a_file(**{place: "x" * (LENGTHS[part] + 1)}))[0]
    )


def test_an_introduction_may_have_paragraphs_and_a_title_may_not():
    two = "'''One.\nTwo.'''"
    assert (
        "\n"
        in read_wording(a_file().replace("'Invented introduction.'", two), LANGUAGES).wording.introduction
    )
    assert "line break" in complaints(a_file().replace("'Invented title'", two))[0]


def test_a_file_in_another_encoding_is_said_with_its_line():
    with pytest.raises(WordingError, match="Line 4 is not UTF-8 text"):
        decoded(a_file(title="Täglich").encode("latin-1"))


def test_a_file_that_is_too_large_is_not_read():
    assert decoded(b"#" * MOST_BYTES)
    with pytest.raises(WordingError, match="larger than 64 KB"):
        decoded(b"#" * (MOST_BYTES + 1))


def test_the_form_of_the_file_in_the_handbook_of_the_module_is_right():
    assert set(wording_file.HEAD) <= set(wording_file.__doc__.replace("[", " ").replace(".", " ").split())
