"""The documents on safety say what is there: tests, files and pages exist, counts and inventory are right."""

import ast
import re
from collections import Counter
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from scripts import safety_page
from sessions_app.records import inventory

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [
    *("asvs.md", "asvs-level-3.md", "threat-model.md", "security-decisions.md", "hazards.md", "dpia.md"),
    *("data-inventory.md", "safety.md"),
]
# OWASP ASVS 5.0.0: the level of each requirement of each section, in their order ("21": the first has level 2, the
# second level 1). Facts alone: the standard's words are not here.
LEVELS = {
    **{"1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123"},
    **{"2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23"},
    **{
        "3.1": "3",
        "3.2": "113",
        "3.3": "12223",
        "3.4": "11222233",
        "3.5": "11122333",
        "3.6": "3",
        "3.7": "22333",
    },
    **{"4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222"},
    **{"5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222"},
    **{"6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333"},
    **{"6.6": "2223", "6.7": "33", "6.8": "2222"},
    **{"7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22"},
    **{"8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23"},
    **{"9.1": "111", "9.2": "1222"},
    **{
        "10.1": "22",
        "10.2": "223",
        "10.3": "22223",
        "10.4": "1111122222233333",
        "10.5": "22222",
        "10.6": "22",
    },
    **{"10.7": "222"},
    **{
        "11.1": "2233",
        "11.2": "22233",
        "11.3": "11233",
        "11.4": "1222",
        "11.5": "23",
        "11.6": "23",
        "11.7": "33",
    },
    **{"12.1": "12233", "12.2": "11", "12.3": "22223"},
    **{"13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233"},
    **{"14.1": "22", "14.2": "12223333", "14.3": "122"},
    **{"15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333"},
    **{"16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223"},
    **{"17.1": "23", "17.2": "22223333", "17.3": "22"},
}
LEVEL_OF = {
    f"{section}.{number}": int(level)
    for section, levels in LEVELS.items()
    for number, level in enumerate(levels, 1)
}
ANSWERS, OF_LEVEL_3 = safety_page.answers("asvs.md"), safety_page.answers("asvs-level-3.md")
# A file, a page or a command: what an answer may name beside a test.
FILE = re.compile(r"`(\w[\w./-]*\.(?:py|js|sh|html|md|txt|toml|template))`")
LINK = re.compile(r"\]\(([^)#\s]+)?(?:#[^)\s]*)?\)")


def text_of(name):
    return (DOCS / name).read_text("utf-8")


@cache
def functions_of(name):
    tree = ast.parse((ROOT / name).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def missing_tests(text):
    return {
        f"{name}::{test}"
        for name, test in safety_page.tests_named_in(text)
        if not (ROOT / name).is_file() or test not in functions_of(name)
    }


def names_something(answer):
    return bool(safety_page.tests_named_in(answer) or FILE.search(answer) or LINK.search(answer))


# --- What is named exists ------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_test_that_is_named_exists(name):
    assert missing_tests(text_of(name)) == set()
    # Written in another way it would not be looked for.
    loose = safety_page.TEST.sub("", text_of(name))
    assert (
        re.findall(r"\S*::\S*|\btest_\w+(?!\w*\.py)\b", loose.replace("test_safety_documents.py", "")) == []
    )


@pytest.mark.parametrize("name", [*PAGES, "../SECURITY.md"])
def test_every_file_that_is_named_exists(name):
    named = set(FILE.findall(text_of(name)))
    assert {one for one in named if not (ROOT / one).is_file()} == set()
    linked = {one for one in LINK.findall(text_of(name)) if one and not one.startswith("https:")}
    assert {one for one in linked if not (DOCS / name).parent.joinpath(one).exists()} == set()


def test_control_a_test_that_is_gone_is_missed():
    assert missing_tests("`tests/test_documents.py::test_nothing_of_this_name`")
    assert missing_tests("`tests/test_no_file.py::test_every_file_that_is_named_exists`")
    assert (
        missing_tests("`tests/test_safety_documents.py::test_control_a_test_that_is_gone_is_missed`") == set()
    )


# --- ASVS ----------------------------------------------------------------------------------------


def test_the_list_of_requirements_is_that_of_the_standard():
    assert Counter(LEVEL_OF.values()) == {1: 70, 2: 183, 3: 92}


def test_every_requirement_of_levels_1_and_2_is_answered_once_and_in_its_order():
    assert [answer.requirement for answer in ANSWERS] == [one for one, level in LEVEL_OF.items() if level < 3]


def test_what_is_answered_of_level_3_is_of_level_3_and_answered_once():
    told = [answer.requirement for answer in OF_LEVEL_3]
    assert len(told) == len(set(told)) >= 50
    assert {LEVEL_OF[one] for one in told} == {3}


@pytest.mark.parametrize("answer", [*ANSWERS, *OF_LEVEL_3], ids=lambda answer: answer.requirement)
def test_an_answer_names_where_it_is_seen_or_says_what_is_missing(answer):
    assert answer.state in safety_page.STATES
    assert answer.asks_for
    assert answer.answer
    if answer.state == "met":
        # Of what the language or a package does, there is nothing of ours to name.
        by_others = re.match(
            r"Python|AES|SHA|PBKDF2|ECDH|recovery codes|the package|one service", answer.answer
        )
        assert by_others or names_something(answer.answer)


def test_the_figures_in_the_prose_are_those_of_the_tables():
    states = Counter(answer.state for answer in ANSWERS)
    applies = states["met"] + states["open"]
    assert applies == 191
    assert (
        f"{len(ANSWERS)} requirements: {states['n/a']} do not apply, {applies} do. "
        f"Of these, {states['met']} are met and {states['open']} are open."
    ) in text_of("asvs.md")
    open_ones = [answer.requirement for answer in ANSWERS if answer.state == "open"]
    assert f"\nOpen: {', '.join(open_ones[:-1])} and {open_ones[-1]}.\n" in text_of("asvs.md")
    third = Counter(answer.state for answer in OF_LEVEL_3)
    prose = " ".join(text_of("asvs-level-3.md").split())
    of_level_3 = sum(level == 3 for level in LEVEL_OF.values())
    assert f"The standard has {of_level_3} requirements on level 3." in prose
    assert (
        f"Below are {len(OF_LEVEL_3)} that we have looked at, in the form of [the table of levels 1 and 2](asvs.md): "
        f"{third['met']} are met and {third['open']} are open. The other {of_level_3 - len(OF_LEVEL_3)} are"
    ) in prose


# --- Hazards and threats -------------------------------------------------------------------------

SIZE = re.compile(r"([1-5])x([1-5])")


def size(cell):
    severity, likelihood = SIZE.fullmatch(cell).groups()
    return int(severity) * int(likelihood)


def test_hazards_are_numbered_once_and_the_prose_says_how_many():
    assert [one.number for one in safety_page.hazards()] == [
        f"H{number}" for number in range(1, len(safety_page.hazards()) + 1)
    ]
    assert f"\n{len(safety_page.hazards())} hazards." in text_of("hazards.md")


@pytest.mark.parametrize("hazard", safety_page.hazards(), ids=lambda hazard: hazard.number)
def test_a_hazard_has_a_control_a_test_and_somebody_who_accepts_what_is_left(hazard):
    assert all(hazard)
    assert safety_page.tests_named_in(hazard.test)
    assert size(hazard.after) <= size(hazard.before)
    assert hazard.accepts in {"developers", "clinic"}
    # What is large after its control is no decision of developers.
    assert hazard.accepts == "clinic" or size(hazard.after) < 6


@pytest.mark.parametrize("threat", safety_page.threats(), ids=lambda threat: threat.number)
def test_a_threat_has_an_answer_with_a_test(threat):
    assert threat.kind in set("STRIDE")
    assert threat.answer
    assert safety_page.tests_named_in(threat.test)


@pytest.mark.parametrize("name", PAGES)
def test_a_hazard_or_threat_that_a_page_names_is_there(name):
    known = {one.number for one in (*safety_page.hazards(), *safety_page.threats())}
    assert set(re.findall(r"\b[HT]\d+\b", text_of(name))) <= known


# --- What is made by the program -----------------------------------------------------------------


def test_the_inventory_is_that_of_the_field_table():
    printed = StringIO()
    call_command("data_inventory", stdout=printed)
    assert printed.getvalue() == text_of("data-inventory.md"), (
        "docs/data-inventory.md is out of date: manage.py data_inventory > docs/data-inventory.md"
    )


def test_the_inventory_names_every_field_once():
    told = inventory.as_markdown()
    for table in inventory.TABLES:
        begins = told.index(f"| `{table.model}`")
        ends = re.compile(r"\n\| `|\n\n|\Z").search(told, begins + 1).start()
        listed = [row.split(" | ")[1] for row in told[begins:ends].splitlines()]
        names = [name for row in listed for name in row.replace(" *(sealed)*", "").split(", ")]
        assert sorted(names) == sorted(table.fields), table.model


def test_control_a_new_field_makes_the_inventory_out_of_date(monkeypatch):
    table = next(table for table in inventory.TABLES if table.model == "clients.Client")
    monkeypatch.setitem(table.fields, "shoe_size", table.fields["label"])
    assert inventory.as_markdown() != text_of("data-inventory.md")


def test_the_counts_on_the_page_that_leads_are_those_of_the_tables():
    assert safety_page.page() == text_of("safety.md"), "run python scripts/safety_page.py"


# --- What a reader has to find -------------------------------------------------------------------


def test_the_page_that_leads_says_what_ratings_cannot_do_and_leads_to_every_other():
    assert "**Ratings do not detect suicide risk.**" in text_of("safety.md")
    linked = {one for one in LINK.findall(text_of("safety.md")) if one}
    assert {*PAGES} - {"safety.md"} <= linked


@pytest.mark.parametrize("name", ["README.md", "docs/deployment.md", "docs/handbook.md", "SECURITY.md"])
def test_whoever_looks_there_is_led_to_it(name):
    assert "safety.md" in (ROOT / name).read_text("utf-8")
