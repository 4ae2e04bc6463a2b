"""The documents say what is there: dates of decisions, words of the glossary, files that answer a question."""

import ast
import re
import subprocess
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


# --- Words ---------------------------------------------------------------------------------------

PACKAGES = ("alliance", "clients", "sessions_app")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
SCRIPTS = [path for path in sorted((ROOT / "static").rglob("*.js")) if "vendor" not in path.parts]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
IN_CODE = re.findall(r"^\| [^|]+ \| [^|]+ \| `([^`]+)` \|$", GLOSSARY, re.M)
# What the trade calls otherwise: docs/glossary.md.
PRIVATE_WORDS = {
    "foresight": "impact preview",
    "queue": "lock",
    "twin": "duplicate, reference",
    "patient": "client",
    "customer": "client",
    "survey": "rating",
    "alert": "flag",
    "metric": "measure",
    "util": "a name that says what for",
    "utils": "a name that says what for",
    "helper": "a name that says what for",
}


def test_every_name_of_the_glossary_is_in_the_code():
    code = "\n".join(path.read_text("utf-8") for path in [*MODULES, *SCRIPTS])
    names = {*re.findall(r"\w+", code), *(path.stem for path in MODULES)}
    assert len(IN_CODE) > 50
    assert [name for name in IN_CODE if not ((ROOT / name).exists() if "/" in name else name in names)] == []


def test_the_glossary_explains_each_word_in_a_line_and_once():
    words = re.findall(r"^\| ([^|`]+) \| [^|]+ \|[^|]*\|$", GLOSSARY, re.M)
    words = [word for word in words if word != "word"]
    assert len(words) == len(set(words)) > 50


def named_in(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
    yield path.stem


def words_of(name):
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


@pytest.mark.parametrize("name", ["_refuse_a_twin", "Foresight", "wait_in_queue", "QUEUE"])
def test_control_a_private_word_is_seen_within_a_name(name):
    assert words_of(name) & set(PRIVATE_WORDS)


def test_names_use_no_private_word_where_a_standard_one_exists():
    private = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in MODULES
        for name in named_in(path)
        if words_of(name) & set(PRIVATE_WORDS)
    }
    assert private == set()


# --- Where is ... --------------------------------------------------------------------------------

DEVELOPING = (ROOT / "docs" / "developing.md").read_text("utf-8")
ANSWERS = dict(re.findall(r"^\| (where .+?) \| (.+) \|$", DEVELOPING.split("## Where is ...")[1], re.M))


def test_each_question_of_the_developers_page_is_answered_by_a_file_that_is_there():
    assert len(ANSWERS) >= 10
    for question, answer in ANSWERS.items():
        named = re.findall(r"`([\w/.]+\.py)`", answer)
        assert named, question
        assert [name for name in named if not (ROOT / name).is_file()] == [], question


@pytest.mark.parametrize(
    ("name", "path"), re.findall(r"`(\w+)` in `([\w/.]+\.py)`", DEVELOPING), ids=lambda part: part
)
def test_a_name_that_an_answer_gives_is_in_its_file(name, path):
    assert re.search(rf"\b{name}\b", (ROOT / path).read_text("utf-8"))


def test_the_map_names_every_room():
    rooms = {path.parent.name for path in (ROOT / "sessions_app").glob("*/__init__.py")}
    assert rooms - {"demo", "management", "migrations", "models"} == set(
        re.findall(r"^\| `sessions_app/(\w+)/` \|", DEVELOPING, re.M)
    )


# --- Pictures ------------------------------------------------------------------------------------

PICTURES = ROOT / "docs" / "pictures"
MADE = {
    name
    for path in (ROOT / "tests" / "browser").glob("*.py")
    for name in re.findall(r'\bpicture\(\w+, "([\w-]+)"\)', path.read_text("utf-8"))
}
SHOWN = {
    name
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for name in re.findall(r"pictures/([\w-]+)\.png\)", path.read_text("utf-8"))
}


def test_every_picture_is_made_by_a_browser_test_and_shown_in_a_document():
    assert len(MADE) > 10
    assert {path.stem for path in PICTURES.iterdir()} == MADE == SHOWN


# --- Commits -------------------------------------------------------------------------------------

WITH_FIGURES = ("docs/performance.md", "docs/reliability.md", "README.md", "CHANGELOG.md")


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_a_figure_names_a_commit_that_can_be_checked_out(name):
    """A figure from code that nobody has cannot be measured again."""
    if not (ROOT / ".git").exists():
        return  # only the files, with nothing to check out
    text = (ROOT / name).read_text("utf-8")
    named = {
        word
        for word in re.findall(r"\b[0-9a-f]{7}\b", text)
        if re.search("[a-f]", word) and re.search("[0-9]", word)
    }
    git = ["git", "-c", f"safe.directory={ROOT}", "cat-file", "-e"]
    assert {one for one in named if subprocess.run([*git, f"{one}^{{commit}}"], cwd=ROOT).returncode} == set()
