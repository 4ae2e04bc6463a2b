"""A label cannot run in anybody's spreadsheet, whatever separates the cells there."""

import csv
import io

import pytest

from alliance import csv_file

RUNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
LABELS = [
    "a;=1+1",
    "a,=1+1",
    "a\t=1+1",
    "a\n=1+1",
    "a|@SUM(A1)",
    'a;"=1+1"',
    'a; "=1+1"',
    "a;  -2",
    "=1+1",
    "+49",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    '"=1"',
    "＝1+1",
    "a;;=1",
    "a;\n;=1",
]


def cells(text, separator):
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize("written_with", [",", ";"])
@pytest.mark.parametrize("read_with", [",", ";", "\t", "|"])
@pytest.mark.parametrize("label", LABELS)
def test_a_label_with_a_separator_and_a_formula_does_not_split_into_one(label, written_with, read_with):
    text = "".join(csv_file.as_rows([["K-1", label, label], ["x", label, "y"]], written_with))
    run = [cell for cell in cells(text, read_with) if cell.lstrip(" \t\r\n\"'").startswith(RUNS)]
    assert [cell for cell in run if not cell.lstrip(' \t\r\n"').startswith("'")] == []


def test_control_the_plain_writer_of_the_library_lets_it_run():
    echo = io.StringIO()
    csv.writer(echo, quoting=csv.QUOTE_ALL).writerow(["K-1", "a;=1+1"])
    assert any(cell.startswith("=") for cell in cells(echo.getvalue(), ";"))


@pytest.mark.parametrize("separator", [",", ";"])
def test_whatever_is_no_formula_comes_back_as_it_was(separator):
    written = ["K-1", "Ägir; Жанна, 7", 'she said "no"', "1 - 2", "a\nb", "", "آمنة"]
    text = "".join(csv_file.as_rows([written], separator))
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)) == [written]
    assert "".join(csv_file.as_rows([[None, 3]])) == '"","3"\r\n'
