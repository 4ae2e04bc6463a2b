"""What the list does as a whole: half the calls of the former one, and as much found. Of the model and of a file."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from alliance.measurement.false_alarms import FOUND, LISTS
from alliance.measurement.flag_rules import Parameters, findings
from alliance.measurement.parameters import ANY_CHANGE
from alliance.measurement.real_courses import file_figures
from alliance.measurement.scored_file import read_rows
from alliance.measurement.simulate import VARIANTS
from alliance.measurement.work_list_figures import CHANGES, list_figures, talked_about
from tests.measurement.courses import course, rated

FORMER = Parameters(work_list=ANY_CHANGE)
REAL = os.environ.get("REAL_COURSES")  # the folder with linear.csv and matched.csv
# Calls from the second rating on in courses of real length, found and by chance: clinical.md, 2.J.
SPECIFIED = {
    "as shipped": (9.5, {"fall of 3": (69, 31), "fall of 5": (87, 31), "fall of 8": (97, 31),
                         "slide of 0.5": (82, 52), "slide of 1": (97, 52), "slide of 1.5": (100, 52)}),
    "former": (15.1, {"fall of 3": (69, 39), "fall of 5": (86, 39), "fall of 8": (97, 39),
                      "slide of 0.5": (82, 60), "slide of 1": (95, 60), "slide of 1.5": (99, 60)}),
}  # fmt: skip


def called(sessions, p=Parameters()) -> str:  # noqa: B008 - frozen
    return "".join(".x"[one] for one in talked_about(sessions, findings(sessions, p), [p] * len(sessions)))


@pytest.mark.parametrize("name", SPECIFIED)
def test_published_figures_are_those_of_the_specification(name):
    calls, found = SPECIFIED[name]
    assert LISTS["standard"][name][3] == pytest.approx(calls, abs=0.5)
    for change, (share, chance) in found.items():
        printed = FOUND["standard"][name][change]
        assert (100 * printed[0], 100 * printed[1]) == (
            pytest.approx(share, abs=3),
            pytest.approx(chance, abs=2),
        )


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_shipped_list_calls_less_in_every_population(variant):
    assert all(
        ours < theirs
        for ours, theirs in zip(LISTS[variant]["as shipped"], LISTS[variant]["former"], strict=True)
    )


@pytest.mark.parametrize("variant", ["standard", "growth"])
def test_a_smaller_sample_agrees_with_the_published_figures(variant):
    figures = list_figures(variant, clients=300, seed=5)
    for name, one in figures.items():
        # 3,300 sessions: one standard error is at most 0.8; three of them. 300 clients: 2.9 points.
        assert one.figures.without_first == pytest.approx(LISTS[variant][name][1], abs=2.4)
        for change, found in one.figures.changes.items():
            assert found.found == pytest.approx(FOUND[variant][name][change][0], abs=0.09)


def test_the_figures_depend_on_the_seed_alone(monkeypatch):
    monkeypatch.setattr("alliance.measurement.simulate._CHUNK", 20)
    one, two = (list_figures(clients=40, processes=n) for n in (1, 2))
    assert one == two != list_figures(clients=40, seed=1)


def test_lists_that_differ_in_the_list_only_are_found_in_one_go_and_still_as_if_alone():
    both = list_figures(clients=30)
    for name, p in {"as shipped": Parameters(), "former": FORMER}.items():
        assert list_figures(clients=30, lists={name: p})[name] == both[name]


@pytest.mark.parametrize(
    ("totals", "ours", "former"),
    [
        ((35, 35, 35), "x..", "x.."),
        ((40, 34, 34, 34), ".x..", ".x.."),
        ((40, 36.1, 36.1), "..x", "..."),
        ((40, 36, 35.9), "..x", ".x."),  # crossing the cutoff is the same fall
        ((40, 40, 40, 36, 40, 36, 36), ".....x.", "...x.x."),
        ((40, 40, 40, 40, 34, 40, 34), "....x.x", "....x.x"),
        ((36, 36, 36, 36, 35), ".....", "....x"),
    ],
)
def test_where_each_call_is_talked_about(totals, ours, former):
    assert (called(course(*totals)), called(course(*totals), FORMER)) == (ours, former)


def test_a_certain_call_of_a_partial_rating_counts_too():
    assert called([rated(1, 5, 5, 5, None), *course(1, 35)[1:]]) == "x."


def test_a_change_is_put_where_it_is_looked_for():
    window = CHANGES["fall of 5"]
    assert [window.event.shift(window.first + place) for place in range(-1, 3)] == [0, -5, -5, -5]
    slide = CHANGES["slide of 1"]
    assert [slide.event.shift(slide.first + place) for place in range(6)] == [-2, -3, -4, -5, -6, -7]


# --- of a file ---------------------------------------------------------------------------------------------

HEADER = "course,session,relationship,goals,approach,overall"
STEADY = [f"{name},{number},9.5,9.5,9.5,9.5" for name in "ab" for number in range(1, 13)]


def figures_of(*rows):
    return file_figures(read_rows([f"{row}\n" for row in (HEADER, *rows)]))


def test_in_steady_courses_nothing_calls_and_a_fall_of_eight_is_found():
    found = figures_of(*STEADY)
    assert (found.courses, found.rated, found.partial, found.falls) == (2, 24, 0, 0)
    for one in found.lists.values():
        assert (one.with_first, one.without_first) == (0, 0)
        assert (one.changes["fall of 8"].found, one.changes["fall of 8"].by_chance) == (1, 0)
        assert one.changes["fall of 8"].delay == 1


def test_first_ratings_are_counted_and_apart():
    low = [row.replace("9.5", "8.0") for row in STEADY]
    one = figures_of(*low).lists["as shipped"]
    assert (one.with_first, one.without_first) == (pytest.approx(100 * 2 / 24), 0)


def test_falls_and_what_was_back():
    rows = [
        "a,1,10,10,10,10",
        "a,2,9,9,9,9",
        "a,3,10,10,10,10",
        "a,4,9,9,9,9",
        "a,5,9,9,9,9",
        "a,6,9,9,9,",
        "a,7,9,9,9,9",
    ]
    found = figures_of(*rows)
    assert (found.rated, found.partial) == (6, 1)
    assert (found.falls, found.back) == (2 / 5, 1 / 1)


def test_the_command_prints_the_file(tmp_path, capsys):
    source = tmp_path / "in.csv"
    source.write_text("\n".join([HEADER, *STEADY]) + "\n")
    call_command("list_figures", source)
    printed = capsys.readouterr().out
    for words in (
        "2 courses",
        "as shipped",
        "former",
        "without first ratings",
        "slide of 1.5",
        "by chance",
        "delay",
    ):
        assert words in printed


@pytest.mark.parametrize(
    ("content", "complaint"), [("x\n", "header"), (b"\xff\xfe", "not UTF-8"), (None, "No such file")]
)
def test_the_command_says_what_is_wrong(tmp_path, content, complaint):
    source = tmp_path / "in.csv"
    if content is not None:
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError, match=complaint):
        call_command("list_figures", source)


if REAL:  # they are not part of the program: docs/clinical-rules.md says where they come from

    @pytest.mark.parametrize(("name", "ours", "former"), [("linear", 7.5, 15.4), ("matched", 5.0, 10.1)])
    def test_the_real_courses_call_half_as_often(name, ours, former):
        with (Path(REAL) / f"{name}.csv").open(encoding="utf-8") as lines:
            lists = file_figures(read_rows(lines)).lists
        assert lists["as shipped"].without_first == pytest.approx(ours, abs=0.1)
        assert lists["former"].without_first == pytest.approx(former, abs=0.1)
        assert lists["as shipped"].changes["fall of 5"].found >= lists["former"].changes["fall of 5"].found


def test_what_is_called_does_not_depend_on_which_line_is_named():
    sessions = course(40, 40, 36, 35, 34)
    quiet = replace(Parameters(), compare_lines=False)
    assert Counter(called(sessions)) == Counter(called(sessions, quiet))
