import json
import os

import pytest
from django.core.management import CommandError, call_command

from alliance.measurement.scored_file import FileError, score_file
from alliance.measurement.simulate import TABLE_KEYS
from alliance.measurement.work_list_figures import CHANGES

HEADER = "course,session,relationship,goals,approach,overall"


@pytest.fixture
def scored(tmp_path):
    def run(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> list[str]:
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_text("\n".join([header, *rows]) + "\n", encoding)
        score_file(source, target)
        return target.read_text("utf-8").splitlines()

    return run


def test_output_has_its_header_and_one_decimal(scored):
    assert scored("a,1,9,9.0,9,9.1") == ["course,session,total,flags,work_list", "a,1,36.1,,0"]


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        (["a,1,9,9,9,8.9"], "a,1,35.9,A+,1"),
        (["a,1,8,8,8,8", "a,2,8,8,8,8"], "a,2,32.0,A,0"),
        (["a,1,10,10,10,8.9"], "a,1,38.9,B,0"),
        (["a,1,10,10,10,"], "a,1,,,0"),
        (["a,1,10,,10,", "a,2,8.2,,,"], "a,2,,B G,0"),
        (["a,1,,,,", "a,2,,,,"], "a,2,,G,0"),
        (["a,1,10,10,10,10", "a,2,9,9,9,9"], "a,2,36.0,C,0"),
        (["a,1,10,10,10,10", "a,2,8.5,8.5,8.5,8.5"], "a,2,34.0,A+ C,1"),
        ([f"a,{n},10,10,10,10" for n in range(1, 5)], "a,4,40.0,F,0"),
        ([f"a,{n},10,10,10,10" for n in range(1, 5)] + ["a,5,8,9,9,9"], "a,5,35.0,A+ C E J,1"),
        (["a,1,10,10,10,10", "a,2,6,6,6,"], "a,2,,A+ C,1"),
        (["a,1,5,5,5,", "a,2,5,5,5,"], "a,2,,A G,0"),
        (['a,1,"9,5",9.5,9.5,9.5'], "a,1,38.0,,0"),
    ],
)
def test_flags_and_work_list(scored, rows, last):
    assert scored(*rows)[-1] == last


def test_sessions_are_ordered_for_the_rules_but_not_in_the_output(scored):
    rows = scored("a,10,9,9,9,9", "b,1,10,10,10,10", "a,2,10,10,10,10")
    assert rows[1:] == ["a,10,36.0,C,0", "b,1,40.0,,0", "a,2,40.0,,0"]


def test_courses_do_not_touch_each_other(scored):
    rows = scored("a,1,10,10,10,10", "b,2,9,9,9,9", "b,1,,,,", "a,2,,,,")
    assert [row.split(",")[3] for row in rows[1:]] == ["", "", "", ""]


def test_byte_order_mark_blank_lines_and_quotes_are_no_trouble(scored):
    assert scored('"Ö, 1",1,9,9,9,9', "", "", encoding="utf-8-sig")[1:] == ['"Ö, 1",1,36.0,,0']


def test_a_file_without_rows_gives_a_header(scored):
    assert scored() == ["course,session,total,flags,work_list"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,2,9,9,9", "5 columns instead of 6"),
        ("a,2,9,9,9,9,9", "7 columns instead of 6"),
        ("a,2,9,9,9,10.1", "overall: Please give a number from 0 to 10"),
        ("a,2,9,-1,9,9", "goals: Please give a number from 0 to 10"),
        ("a,2,9,9,nine,9", "approach: Please give a number from 0 to 10"),
        ("a,2,9.25,9,9,9", "relationship: Please give at most one decimal"),
        ("a,1,9,9,9,9", "session 1 of course a is on line 2 already"),
        ("a,01,9,9,9,9", "session 1 of course a is on line 2 already"),
        ("a,1.5,9,9,9,9", "not a whole number"),
        ("a,-1,9,9,9,9", "not a whole number"),
        ("a,0,9,9,9,9", "not a whole number"),
        ("a,,9,9,9,9", "not a whole number"),
        ("a,²,9,9,9,9", "not a whole number"),
        ("a," + "9" * 5000 + ",9,9,9,9", "not a whole number"),
        (",2,9,9,9,9", "the course has no name"),
        ('a,2,"9,9,9,9', "not readable as CSV"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(scored, tmp_path, row, reason):
    with pytest.raises(FileError, match=reason) as caught:
        scored("a,1,9,9,9,9", row, "a,3,9,9,9,9")
    assert caught.value.line == (3 if "readable" not in reason else 4)
    assert os.listdir(tmp_path) == ["in.csv"]


@pytest.mark.parametrize("header", ["course,session", "", HEADER.replace("goals", "topics"), HEADER + ",x"])
def test_a_wrong_header_is_refused(scored, header):
    with pytest.raises(FileError, match="Line 1: the header must be course,session"):
        scored("a,1,9,9,9,9", header=header)


def test_an_older_result_survives_a_bad_file(scored, tmp_path):
    scored("a,1,9,9,9,9")
    before = (tmp_path / "out.csv").read_text()
    with pytest.raises(FileError):
        scored("a,1,9,9,9,99")
    assert (tmp_path / "out.csv").read_text() == before


def test_the_command_scores_a_file(tmp_path, capsys):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"{HEADER}\na,1,9,9,9,8\n")
    call_command("score_file", source, target)
    assert target.read_text() == "course,session,total,flags,work_list\na,1,35.0,A+,1\n"
    assert "1 rows scored" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (f"{HEADER}\na,1,9,9,9,x\n".encode(), "Line 2: overall"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "No such file"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, content, complaint):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(CommandError, match=complaint):
        call_command("score_file", source, target)
    assert not target.exists()


def test_the_simulation_prints_json(capsys):
    call_command("simulate_flags", "--variant", "high", "--clients", "40", "--seed", "7", "--json")
    tables = json.loads(capsys.readouterr().out)
    assert list(tables) == ["high"]
    high = tables["high"]
    assert {name: list(one["figures"]["changes"]) for name, one in high["lists"].items()} == {
        "as shipped": list(CHANGES),
        "former": list(CHANGES),
    }
    assert list(high["false_alarms"]) == list(TABLE_KEYS)
    assert all(0 <= share <= 1 for shares in high["false_alarms"].values() for share in shares.values())
    assert {change: list(rules) for change, rules in high["detection"].items()} == {
        "fall": list("ACDEJ"),
        "slide": list("ACDEJ"),
    }
    assert set(high["returns"]) == {"stable", "fall", "half", "slide"}
    assert all(0 <= share <= 1 for one in high["returns"].values() for share in one.values())


def test_the_simulation_prints_a_table_of_every_variant(capsys):
    call_command("simulate_flags", "--clients", "20")
    printed = capsys.readouterr().out
    words = (
        "standard",
        "low",
        "high",
        "per session",
        "fall of 5.0",
        "slide of 1.0",
        "nothing wrong",
        *TABLE_KEYS,
    )
    assert all(word in printed for word in words)


def test_the_simulation_needs_clients():
    with pytest.raises(CommandError, match="At least one client"):
        call_command("simulate_flags", "--clients", "0")
