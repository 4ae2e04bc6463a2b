"""The documents say what is there: dates of decisions, words of the glossary, files that answer a question."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
NAME = re.compile(r"\d{4}-[a-z-]+\.md")
HEAD = re.compile(
    r"# (\d+)\. .+\n\n"
    r"Date: \d{4}-\d\d-\d\d\. Status: (accepted|replaced by \[decision \d+\]\(\d{4}-[a-z-]+\.md\))\.\n\n"
)


# --- Decisions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_number_a_date_and_a_status(path):
    head = HEAD.match(path.read_text("utf-8"))
    assert head, "The head of a decision: # Number. Title, and below it: Date: 2026-01-31. Status: accepted."
    assert NAME.fullmatch(path.name)
    assert int(path.name[:4]) == int(head[1])


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_page_holds_one_decision(path):
    assert path.read_text("utf-8").count("**Decision.**") <= 1


def test_no_number_of_a_decision_is_left_out_or_used_twice():
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers[0] == 1
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
