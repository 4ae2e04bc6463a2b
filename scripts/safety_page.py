"""Counts what stands in the documents on safety, and writes the figures into docs/safety.md.

python scripts/safety_page.py            write them
python scripts/safety_page.py --check    only say whether they are out of date
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGE = DOCS / "safety.md"
BLOCK = re.compile(r"(<!-- counted by scripts/safety_page\.py -->\n).*?(<!-- end -->)", re.DOTALL)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
STATES = ("met", "open", "n/a")


class Answer(NamedTuple):
    requirement: str
    asks_for: str
    state: str
    answer: str


class Hazard(NamedTuple):
    number: str
    hazard: str
    cause: str
    effect: str
    before: str
    control: str
    test: str
    after: str
    accepts: str


class Threat(NamedTuple):
    number: str
    kind: str
    threat: str
    answer: str
    test: str
    left: str


def rows(name: str, first: str) -> list[list[str]]:
    """The cells of every line of a table whose first cell is like `first`."""
    lines = (DOCS / name).read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if re.fullmatch(first, row[0])]


def answers(name: str) -> list[Answer]:
    return [Answer(*row) for row in rows(name, r"\d+\.\d+\.\d+")]


def hazards() -> list[Hazard]:
    return [Hazard(*row) for row in rows("hazards.md", r"H\d+")]


def threats() -> list[Threat]:
    return [Threat(*row) for row in rows("threat-model.md", r"T\d+")]


def tests_named_in(text: str) -> set[tuple[str, str]]:
    return set(TEST.findall(text))


def counted() -> str:
    pages = [("OWASP ASVS 5.0, levels 1 and 2", "asvs.md"), ("level 3, in part", "asvs-level-3.md")]
    lines = [
        "| table | rows | met | open | does not apply | different tests named |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for title, name in pages:
        given = answers(name)
        states = [sum(answer.state == state for answer in given) for state in STATES]
        lines.append(_line(title, len(given), *states, _tests(name)))
    lines.append(_line("hazards, each with a control", len(hazards()), "", "", "", _tests("hazards.md")))
    lines.append(_line("threats, each with an answer", len(threats()), "", "", "", _tests("threat-model.md")))
    return "\n".join(lines) + "\n"


def _tests(name: str) -> int:
    return len(tests_named_in((DOCS / name).read_text("utf-8")))


def _line(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def page() -> str:
    return BLOCK.sub(lambda found: f"{found[1]}{counted()}{found[2]}", PAGE.read_text("utf-8"))


def main() -> int:
    if "--check" in sys.argv[1:]:
        if page() == PAGE.read_text("utf-8"):
            return 0
        print("docs/safety.md is out of date: run python scripts/safety_page.py", file=sys.stderr)
        return 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
