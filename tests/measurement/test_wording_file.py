"""The file a clinic loads: whole, in its own words, and every fault said with its place."""

from pathlib import Path

import pytest

from alliance.measurement import instruments, stated_parts, wording_file
from alliance.measurement.wording_file import LENGTHS, MOST_BYTES, WordingError, decoded, read_wording
from tests.measurement.wording_files import ITEMS, a_file, a_form, as_it_is

LANGUAGES = ("en", "de", "ar")
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


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


# --- Forms of choices -----------------------------------------------------------------------------

LICENSED_CHOICES = [
    one.id for one in instruments.questionnaires() if one.licence == "licensed" and one.format == "choices"
]


@pytest.mark.parametrize("instrument", LICENSED_CHOICES)
def test_every_inventory_can_be_loaded(instrument):
    read = read_wording(a_form(instrument), LANGUAGES)
    assert not read.scored.unknown | read.scored.to_state
    assert list(read.wording.items) == [item.id for item in read.instrument.items]
    low, high = read.scored.items[0].minimum, read.scored.items[0].maximum
    assert [one.value_tenths for one in read.wording.points] == list(range(low, high + 1, 10))
    assert read.wording.items["item-1"].question == "Invented question 1 about {therapist}"


def test_the_name_goes_in_as_text_whatever_it_holds():
    wording = read_wording(a_form("wai-sr", stem="{therapist} and I"), LANGUAGES).wording
    named = wording.named("{therapist} <b>{0}</b> %s")
    assert named.items["item-1"].question == "Invented question 1 about {therapist} <b>{0}</b> %s"
    assert named.stem == "{therapist} <b>{0}</b> %s and I"
    assert wording.named("Olga").points == wording.points


LONG = "ذ" * 190 + " {therapist}"[:10]


def test_eighty_items_in_arabic_at_full_length_fit():
    text = a_form("vpps", language="ar", introduction="ذ" * 600, stem="ذ" * 300, copyright="ذ" * 300)
    for number in range(1, 81):
        text = text.replace(f"'Invented question {number} about {{therapist}}'", f"'{LONG}'")
    assert text.count(LONG) == 80
    assert len(text.encode()) < MOST_BYTES
    assert len(read_wording(text, LANGUAGES).wording.items) == 80


SECTIONS = """
[[sections]]
title = 'First part'
introduction = 'Invented.'
items = [1, 2, 3, 4, 5, 6]
[[sections]]
title = 'Second part'
items = ['item-7', 8, 9, 10, 11, 12]
"""


def test_sections_stem_copyright_and_labels_of_an_item_are_read_and_come_back_as_stored():
    text = a_form("wai-sr", more=SECTIONS, stem="Invented stem", copyright="© Invented").replace(
        "item-3 = 'Invented question 3 about {therapist}'",
        "item-3 = { question = 'Invented', points = { 5 = 'Most', 1 = 'Least' } }",
    )
    read = read_wording(text, LANGUAGES)
    wording = read.wording
    assert [(one.title, one.introduction, len(one.items)) for one in wording.sections] == [
        ("First part", "Invented.", 6),
        ("Second part", "", 6),
    ]
    assert (wording.stem, wording.copyright) == ("Invented stem", "© Invented")
    assert [(p.value_tenths, p.label) for p in wording.points_of("item-3")] == [(10, "Least"), (50, "Most")]
    assert len(wording.points_of("item-4")) == 5
    again = wording_file.as_wording(
        language=wording.language,
        title=wording.title,
        introduction=wording.introduction,
        items=wording_file.stored_items(wording),
        form=wording_file.stored_form(wording, read.stated),
    )
    assert again == wording
    assert (
        wording_file.stored_form(read_wording(a_file(), LANGUAGES).wording, stated_parts.NOTHING_STATED) == {}
    )


def put(old: str, new: str, instrument: str = "wai-sr", **of: str) -> str:
    text = a_form(instrument, **of)
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (put("item-7 = 'Invented question 7 about {therapist}'", ""), "items.item-7: this line is missing."),
        (put("item-7 =", "item-77 ="),
         "items.item-77: WAI-SR has no such line. Its lines are item-1 to item-12."),
        (put("item-7 = 'Invented question 7 about {therapist}'", "item-7 = ''"), "items.item-7: this is empty."),
        (put("item-7 = 'Invented question 7 about {therapist}'", "item-7 = 3"),
         "items.item-7: this is not a question in quotes."),
        (put("item-7 = 'Invented question 7 about {therapist}'", "item-7 = { question = 'x', low_end = 'y' }"),
         "items.item-7.low_end: a question with choices has no such part."),
        (a_form("wai-sr", points=(0, 4)),
         "points: the labels go from 0 to 4, and the answers of WAI-SR from 1 to 5."),
        (a_form("wai-sr", points=(1, 7)),
         "points: the labels go from 1 to 7, and the answers of WAI-SR from 1 to 5."),
        (a_form("wai-sr", points=(2, 5)), "points.1: the lowest and the highest answer need a label."),
        (put("3 = 'Invented label 3'", "3.5 = 'x'"), "points.3: this is not a text in quotes."),
        (put("3 = 'Invented label 3'", "three = 'x'"), "points.three: this is not a whole number."),
        (put("Invented label 3", "Invented label 2"), "points: two answers have the same label."),
        (put("Invented label 3", "x" * 61), "points.3: this is longer than 60 characters (61)."),
        (put("Invented label 3", "a\u202eb"), "points.3: this holds a control character"),
        (a_form("wai-sr", more="[[sections]]\ntitle = 'x'\nitems = [1, 2]"),
         "sections: item-3, item-4, item-5, item-6, item-7, item-8, item-9, item-10, item-11, item-12 stands in no"),
        (a_form("wai-sr", more=SECTIONS.replace("8, 9", "8, 8, 9")), "sections: item-8 stands in two sections."),
        (a_form("wai-sr", more=SECTIONS.replace("8, 9", "9, 8")),
         "sections: the items do not stand in their order"),
        (a_form("wai-sr", more=SECTIONS.replace("8, 9", "8, 99, 9")), "sections.2.items: WAI-SR has no item 99."),
        (a_form("wai-sr", more=SECTIONS.replace("title = 'First part'", "")), "sections.1.title: this is missing."),
        (a_form("wai-sr", more=SECTIONS.replace("title = 'First part'", "title = 'x'\ncolour = 'red'")),
         "sections.1.colour: a section has no such part."),
        (a_file() + "\n[points]\n1 = 'x'", "points: SRS has lines with two ends"),
        (a_form("core-10"), "instrument: CORE-10 comes in a pack."),
        (a_form("gad-7"), "instrument: GAD-7 comes with its own wording, which is not replaced."),
    ],
)  # fmt: skip
def test_every_fault_of_a_form_of_choices_is_said_with_its_place(text, sentence):
    assert any(one.startswith(sentence) for one in complaints(text)), complaints(text)


def test_without_any_labels_nobody_could_answer():
    text = "\n".join(line for line in a_form("wai-sr").split("\n") if not line[:1].isdigit())
    text = text.replace("[points]", "")
    assert complaints(text) == ("points: this is missing, and the answers have no labels.",)


def test_a_free_form_is_loaded_in_a_language_that_does_not_come_with_it():
    assert read_wording(a_form("gad-7", language="de"), LANGUAGES).instrument.id == "gad-7"


# --- What a file states ---------------------------------------------------------------------------


def test_what_is_not_confirmed_has_to_be_stated():
    assert complaints(a_form("haq-ii", stated="")) == (
        "stated.range: this is missing. The range of the answers of HAq-II is not confirmed: "
        "state it from the owner’s form.",
        "stated.reverse: this is missing. The list of reversed items of HAq-II is not confirmed: "
        "state it from the owner’s form.",
    )
    missing = complaints(a_form("wai-sr-therapist", stated=""))
    assert [one.split(":")[0] for one in missing] == ["stated.items", "stated.reverse", "stated.subscales"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (a_form("haq-ii", points=(1, 5), stated="[stated]\nrange = [1, 5]\nreverse = [4, 8, 11, 16, 19]"),
         "stated.range: 1 to 5 here, 1 to 6 in our definition of HAq-II. What we know of it is from memory: "
         "if the owner’s form says so, add “range” to stated.differs."),
        (a_form("haq-ii", stated="[stated]\nrange = [1, 6]\nreverse = [4, 8]"),
         "stated.reverse: 4, 8 here, 4, 8, 11, 16, 19 in our definition of HAq-II."),
        (a_form("wai-sr", stated="[stated]\nitems = 11"),
         "stated.items: 11 here, 12 in our definition of WAI-SR. Check whether the file is of this form."),
        (a_form("wai-sr", stated="[stated]\nrange = [1, 7]"),
         "stated.range: 1 to 7 here, 1 to 5 in our definition of WAI-SR. Check"),
        (a_form("wai-sr", stated="[stated]\nreverse = [3]"),
         "stated.reverse: 3 here, none in our definition of WAI-SR. Check"),
        (a_form("wai-sr", stated="[stated]\n[stated.subscales]\ntask = [1, 2, 10, 12]\nbond = [3, 5, 7, 9]"),
         "stated.subscales: task, bond here, task, bond, goal in our definition of WAI-SR. Check"),
        (put("'bond' = [1, 5,", "'bond' = [2, 5,", "wai"),
         "stated.subscales.bond: 2, 5, 8, 17, 19, 20, 21, 23, 26, 28, 29, 36 here, 1, 5, 8, 17, 19,"),
        (put("'bond' = [1, 2, 3, 4, 5, 6, 7, 8]", "'bond' = [1, 2, 3]", "br-wai"),
         "stated.subscales.bond: 3 items here, 8 in our definition of br-WAI."),
        (put("'scale 6' =", "#", "vpps"), "stated.subscales: 6 subscales here, 7 in our definition of VPPS."),
        (put("'bond' = [", "'bonds' = [", "br-wai"),
         "stated.subscales: bonds, task and goal here, bond, task and goal in our definition of br-WAI."),
        (a_form("wai-sr", stated="[stated]\ndiffers = ['range']"),
         "stated.differs: the range of the answers of WAI-SR is not in doubt."),
        (a_form("wai-sr", stated="[stated]\nreverse = [13]"),
         "stated.reverse: there is no item 13. WAI-SR has 12 items."),
        (a_form("wai-sr", stated="[stated]\nreverse = [3, 3]"), "stated.reverse: item 3 stands in it twice."),
        (a_form("wai-sr", stated="[stated]\nrange = [7, 1]"), "stated.range: 7 to 1 is no range of answers"),
        (a_form("wai-sr", stated="[stated]\nrange = 7"), "stated.range: this is not the lowest and the highest"),
        (a_form("wai-sr", stated="[stated]\nitems = 81"), "stated.items: this is not a number from 1 to 80."),
        (a_form("wai-sr", stated="[stated]\nitems = true"), "stated.items: this is not a number from 1 to 80."),
        (a_form("wai-sr", stated="[stated]\ncutoff = 3"), "stated.cutoff: a wording file states no such part."),
        ("stated = 3\n" + a_form("wai-sr"), "stated: this is not a table"),
        (a_form("br-wai", stated="[stated]\nrange = [1, 5]\nreverse = []\n[stated.subscales]\nbond = []"),
         "stated.subscales.bond: this subscale has no items."),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_with_both_values(text, sentence):
    assert any(one.startswith(sentence) for one in complaints(text)), complaints(text)


def test_the_owners_form_may_differ_from_what_we_remember_if_the_file_says_so():
    said = "[stated]\nrange = [1, 5]\nreverse = [4, 8]\ndiffers = ['range', 'reverse']"
    read = read_wording(a_form("haq-ii", points=(1, 5), stated=said), LANGUAGES)
    scored = read.scored
    assert {(item.minimum, item.maximum) for item in scored.items} == {(10, 50)}
    assert [item.id for item in scored.items if item.reverse] == ["item-4", "item-8"]
    assert (scored.total_minimum, scored.total_maximum) == (190, 950)
    assert scored.parameters.total_maximum == 950
    assert stated_parts.from_stored(read.stated.stored) == read.stated


def test_another_number_of_items_is_taken_where_it_is_not_confirmed():
    said = "[stated]\nitems = 10\nreverse = []\ndiffers = ['items', 'subscales']\n[stated.subscales]\nbond = [1, 2]"
    read = read_wording(a_form("wai-sr-therapist", items=10, stated=said), LANGUAGES)
    assert [item.id for item in read.scored.items] == [f"item-{n}" for n in range(1, 11)]
    assert dict(read.scored.subscales) == {"bond": ("item-1", "item-2")}
    assert read.scored.total_maximum == 500


def test_saying_what_is_known_anyway_is_no_contradiction():
    said = "[stated]\nitems = 12\nrange = [1, 5]\nreverse = []"
    read = read_wording(a_form("wai-sr", stated=said), LANGUAGES)
    assert read.scored == instruments.get("wai-sr")
    assert stated_parts.in_words(read.scored)[:3] == [
        ("Items", "12"),
        ("Answers", "1 to 5"),
        ("Reversed items", "none"),
    ]
    assert as_it_is("wai-sr") == ""


def test_what_nobody_knows_is_not_called_none():
    said = dict(stated_parts.in_words(instruments.get("vpps")))
    assert said["Reversed items"] == "the owner’s form says which"
    assert said["Subscales"] == "7; the owner’s form says which items"
    known = read_wording(a_form("vpps"), LANGUAGES).scored
    assert dict(stated_parts.in_words(known))["Reversed items"] == "none"
    assert "Subscales" not in dict(stated_parts.in_words(known))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_files_that_the_handbook_gives_to_try_out_can_be_loaded(path):
    read = read_wording(decoded(path.read_bytes()), LANGUAGES)
    assert len(read.wording.items) == 36
    assert set(read.scored.subscales) == {"bond", "task", "goal"}
    assert read.edition == "invented"


def test_all_files_to_try_out_are_one_edition():
    read = [read_wording(decoded(path.read_bytes()), LANGUAGES) for path in EXAMPLES.glob("*.toml")]
    assert {one.wording.language for one in read} == {"ar", "en"}
    assert all(one.stated == read[0].stated for one in read)
