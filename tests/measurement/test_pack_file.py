"""A pack: whose text it is, under which terms, and every fault said with its file."""

import pytest

from alliance.measurement.pack_file import MOST_FILES, read_pack
from alliance.measurement.wording_texts import WordingError
from tests.measurement.wording_files import a_form, a_pack

LANGUAGES = ("en", "de", "ar")


def complaints(files):
    with pytest.raises(WordingError) as caught:
        read_pack(files, LANGUAGES)
    return caught.value.sentences


def test_a_whole_pack_is_read_and_its_line_stands_on_each_form():
    pack = read_pack(a_pack() | {"de.toml": a_form("core-10", language="de").encode()}, LANGUAGES)
    assert (pack.instrument.id, pack.owner, str(pack.dated)) == ("core-10", "Invented owner", "2026-01-31")
    assert [one.wording.language for one in pack.wordings] == ["de", "en"]
    assert {one.wording.copyright for one in pack.wordings} == {"© Invented owner"}


@pytest.mark.parametrize("part", ["instrument", "name", "owner", "licence", "terms", "source", "line"])
def test_it_says_whose_it_is_and_under_which_terms(part):
    assert f"pack.toml: {part}: this is missing." in complaints(a_pack(**{part: None}))
    assert f"pack.toml: {part}: this is empty." in complaints(a_pack(**{part: " "}))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"en.toml": b""}, "pack.toml: this file is missing."),
        ({"pack.toml": a_pack()["pack.toml"]}, "The pack has no wording file beside pack.toml."),
        (a_pack() | {"pack.toml": b"x"}, "pack.toml: The file is not TOML"),
        (a_pack() | {"pack.toml": a_pack()["pack.toml"].replace(b"2026-01-31", b"'soon'")},
         "pack.toml: date: this is not a day"),
        (a_pack() | {"pack.toml": a_pack()["pack.toml"] + b"\ncolour = 'red'"},
         "pack.toml: colour: a pack has no such part."),
        (a_pack(instrument="wai"), "pack.toml: instrument: WAI does not come in a pack."),
        (a_pack(instrument="mood-ring"), "pack.toml: instrument: There is no instrument called “mood-ring”."),
        (a_pack(owner="x" * 121), "pack.toml: owner: this is longer than 120 characters (121)."),
        (a_pack() | {"en.toml": a_form("wai").encode()},
         "en.toml: instrument: This instrument is not for packs: its wording is loaded by the clinic."),
        (a_pack() | {"en.toml": a_form("core-10", copyright="© Another").encode()},
         "en.toml: copyright: “© Another” here, “© Invented owner” as the line in pack.toml."),
        (a_pack() | {"en.toml": a_form("core-10", points=(1, 5)).encode()},
         "en.toml: points: the labels go from 1 to 5, and the answers of CORE-10 from 0 to 4."),
        (a_pack() | {"zz.toml": a_pack()["en.toml"]}, "Two files have edition 2026 in the language en."),
        (a_pack() | {"de.toml": a_form("core-10", language="de", edition="1998").encode()},
         "The files have different editions"),
        (a_pack() | {f"{n}.toml": b"" for n in range(MOST_FILES)}, "A pack has 40 files at most"),
    ],
)  # fmt: skip
def test_every_fault_is_said_with_its_file(files, sentence):
    assert any(one.startswith(sentence) for one in complaints(files)), complaints(files)


def test_a_pack_that_was_changed_is_another_one():
    one, two = read_pack(a_pack(), LANGUAGES), read_pack(a_pack(terms="Others."), LANGUAGES)
    assert one.sha256 == read_pack(a_pack(), LANGUAGES).sha256 != two.sha256
