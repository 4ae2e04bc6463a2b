"""How a file is read is found out from the file itself, and a wrong guess is a sentence."""

from io import BytesIO

import pytest

from sessions_app.moving_in.columns import SHEETS, Kind, guess
from sessions_app.moving_in.csv_file import Layout, Unreadable, header_of, layout_of, rows_of

GERMAN = "Klientennummer;Kürzel;Straße\n1;Ä. Ö.;8,5\n2;É. ß.;9,0\n"


def of(raw: bytes):
    return lambda: BytesIO(raw)


def cells(raw: bytes, layout: Layout | None = None) -> list[list[str]]:
    found = layout or layout_of(of(raw))
    return [header_of(of(raw), found), *(record.cells for record in rows_of(of(raw), found))]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
        ("cp850", "cp850"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_umlauts_come_as_they_were_whatever_wrote_them(encoding, found):
    raw = GERMAN.encode(encoding)
    assert layout_of(of(raw)) == Layout(found, ";")
    assert cells(raw) == [
        ["Klientennummer", "Kürzel", "Straße"],
        ["1", "Ä. Ö.", "8,5"],
        ["2", "É. ß.", "9,0"],
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_decimal_comma_is_not_taken_for_the_delimiter(delimiter):
    rows = ["a{0}b{0}c", '1{0}"8,5"{0}"9,0"', '2{0}"7,5"{0}"9,1"']
    raw = "\r\n".join(row.format(delimiter) for row in rows).encode()
    assert cells(raw)[1:] == [["1", "8,5", "9,0"], ["2", "7,5", "9,1"]]


def test_a_file_whose_letters_the_likeliest_encoding_does_not_know_can_be_opened_and_read_otherwise():
    """Else it would be refused with “Choose another encoding”, and there would be no page to choose it on."""
    raw = "Nummer;Kürzel\n1;áéíóúý ť\n".encode("cp1250")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("cp1252")
    assert len(cells(raw)) == 2
    assert cells(raw, Layout("cp1250", ";"))[1] == ["1", "áéíóúý ť"]


def test_a_large_file_is_judged_by_its_beginning_and_read_to_its_end():
    """More letters than are looked at, and one at the end that UTF-8 does not know."""
    raw = b"a;b\n" + "ä;ö\n".encode() * 40_000 + "ü;ß\n".encode("cp1252")
    assert layout_of(of(raw)).encoding != "utf-8-sig"
    western = b"a;b\n" + "ä;ö\n".encode("cp1252") * 40_000
    assert layout_of(of(western)) == Layout("cp1252", ";")
    unicode = western.decode("cp1252").encode()
    assert layout_of(of(unicode)) == Layout("utf-8-sig", ";")
    assert cells(unicode)[-1] == ["ä", "ö"]


def test_what_a_spreadsheet_writes_to_name_its_delimiter_is_no_row():
    assert cells(b"sep=;\r\na;b\r\n1;2\r\n") == [["a", "b"], ["1", "2"]]


def test_rows_are_counted_as_a_spreadsheet_counts_them():
    """A cell with a line break in it is one row; one that is empty is a row too, and says nothing."""
    raw = b'a,b\n1,"two\nlines"\n\n,\n5,x\n'
    assert [(record.number, record.cells) for record in rows_of(of(raw), layout_of(of(raw)))] == [
        (2, ["1", "two\nlines"]),
        (5, ["5", "x"]),
    ]


@pytest.mark.parametrize(
    ("raw", "layout", "sentence"),
    [
        (b"", None, "The file is empty"),
        (b"\n\n", None, "The file is empty"),
        ("a,b\n1,ä\n".encode("cp1252"), Layout("utf-8-sig", ","), "cannot be read as UTF-8"),
        (b'a,b\n1,"' + b"x" * 200_000, None, "Is a quotation mark opened and not closed?"),
        (b",".join([b"a"] * 201), None, "more than 200 columns"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(raw, layout, sentence):
    with pytest.raises(Unreadable, match=sentence):
        cells(raw, layout)


class TestTheColumns:
    @pytest.mark.parametrize("kind", Kind)
    def test_of_our_own_example_are_all_guessed(self, kind):
        sheet = SHEETS[kind]
        header = [column.label for column in sheet.columns]
        assert guess(sheet, header) == {column.id: place for place, column in enumerate(sheet.columns)}
        assert all(len(row) == len(header) for row in sheet.example)

    def test_of_a_german_system_are_guessed(self):
        header = [
            "Klienten-Nr.",
            "Kürzel",
            "Sprache",
            "Altersgruppe",
            "Therapeut/in",
            "Therapiebeginn",
            "Straße",
        ]
        names = ["number", "label", "language", "age_band", "therapist", "opened_on"]
        assert guess(SHEETS[Kind.CLIENTS], header) == dict(zip(names, range(6), strict=True))

    def test_the_number_within_the_course_is_not_taken_for_one_that_stands_in_the_file_once(self):
        assert "number" not in guess(SHEETS[Kind.SESSIONS], ["Client", "Date", "Session number", "No."])
