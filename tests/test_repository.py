"""Rules that hold for every file of the repository, so that no review has to look for them."""

import ast
import hashlib
import json
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {
    ".git",
    ".venv",
    "var",
    "vendor",
    "node_modules",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}
SUFFIXES = {".py", ".html", ".txt", ".css", ".js", ".md", ".sh", ".toml", ".yml", ".svg", ".json", ".po", ""}


def _files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and name != "__pycache__"]
        for name in names:
            path = Path(folder, name)
            # In a second working tree .git is a file that holds a path.
            if path.suffix in SUFFIXES and name not in {".env", ".git"} and not path.is_symlink():
                yield path


FILES = sorted(_files())
WRITTEN = [path for path in FILES if not path.name.startswith(("requirements", "package-lock"))]
TEMPLATES = [path for path in FILES if path.suffix in {".html", ".txt"} and "templates" in path.parts]
MODULES = [path for path in FILES if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"]


def named(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_nothing_private_of_allauth_is_imported():
    """Its next release may change it without a word. The one place without a public way says why."""
    private = {
        name
        for name in named(WRITTEN)
        if name.endswith(".py")
        and re.search(r"^\s*(from|import) allauth\S*\binternal\b", text_of(ROOT / name), re.MULTILINE)
    }
    assert private == {"alliance/rate_limits.py"}


# --- Size and tidiness ---------------------------------------------------------------------------


def test_no_file_is_long():
    # Neither what a tool wrote nor the list of translations, which grows with every sentence.
    named_here = [name for name in named(WRITTEN) if "migrations" not in name and not name.endswith(".po")]
    lines = {name: text_of(ROOT / name).count("\n") for name in named_here}
    most = {name: 600 if name.startswith("tests/") else 400 for name in lines}
    assert {name: count for name, count in lines.items() if count > most[name]} == {}


def test_no_test_is_skipped_or_expected_to_fail():
    """A test that cannot run here is left out by its marker, by name, or says why it fails."""
    skipped = re.compile(r"\b(pytest|mark)\.(skip(if)?|xfail|importorskip)\b|unittest\.skip")
    tests = [name for name in named(FILES) if name.startswith("tests/") and name.endswith(".py")]
    assert [name for name in tests if skipped.search(text_of(ROOT / name))] == []


# Written in two parts, so that this file does not hold them.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
ADDRESSES = re.compile(
    r"pypi\.or"
    + r"g|pythonhosted\.or"
    + r"g|npmjs\.or"
    + r"g|deb\.debian\.or"
    + r"g|/ro"
    + r"ot/|/wo"
    + r"rk/"
)


@pytest.mark.parametrize(
    "pattern", [UNFINISHED, ADDRESSES], ids=["unfinished work", "addresses of one machine"]
)
def test_nothing_is_left_lying_about(pattern):
    assert [name for name in named(FILES) if pattern.search(text_of(ROOT / name))] == []


@pytest.mark.parametrize("name", named(path for path in FILES if path.suffix == ".sh"))
def test_scripts_can_be_run(name):
    assert os.access(ROOT / name, os.X_OK)
    assert "set -euo pipefail" in text_of(ROOT / name)


NPM_LOCK = json.loads(text_of(ROOT / "scripts" / "javascript" / "package-lock.json"))["packages"]


def test_the_tools_for_javascript_are_pinned_by_content_and_by_no_address():
    packages = {name: package for name, package in NPM_LOCK.items() if name}
    assert {"node_modules/eslint", "node_modules/typescript"} <= set(packages)
    assert [
        name for name, package in packages.items() if not package.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [version for version in NPM_LOCK[""]["devDependencies"].values() if not version[0].isdigit()] == []


# --- Pages ---------------------------------------------------------------------------------------

# The content security policy refuses all of these: a page that has one works in a test and not in a clinic.
INLINE = {
    "a style element": re.compile(r"<style\b", re.I),
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "an event attribute": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:\w-]*)\s*=", re.I),
    "a script without src": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.I),
    "a javascript address": re.compile(r"(href|src)\s*=\s*[\"']?javascript:", re.I),
    "something from another site": re.compile(
        r"<(script|link|img|iframe)\b[^>]*(src|href)=[\"'](https?:)?//", re.I
    ),
}


@pytest.mark.parametrize("what", INLINE)
def test_pages_hold_nothing_the_policy_refuses(what):
    assert [name for name in named(TEMPLATES) if INLINE[what].search(text_of(ROOT / name))] == []


LONGEST_LINE = 140


def test_no_line_of_a_page_is_long():
    lines = (
        (f"{name}:{number}", len(line.encode()))  # as tools count, to which a curved quote is three
        for name in named(TEMPLATES)
        for number, line in enumerate(text_of(ROOT / name).splitlines(), 1)
    )
    assert {place: length for place, length in lines if length > LONGEST_LINE} == {}


def test_no_comment_of_a_page_runs_over_a_line():
    """Django prints one that does."""
    lines = ((name, line) for name in named(TEMPLATES) for line in text_of(ROOT / name).splitlines())
    assert [name for name, line in lines if line.count("{#") != line.count("#}")] == []


def test_no_title_names_anybody():
    """The browser writes titles into its history, where the next person at the device reads them."""
    named_by = re.compile(r"{% block title %}.*{{\s*[\w.]*\b(client|person|episode|label|user)\b")
    assert [name for name in named(TEMPLATES) if named_by.search(text_of(ROOT / name))] == []


# docs/product words: one word for one thing, and none that frightens or sells. /metrics is the address monitors ask.
AVOIDED = re.compile(
    r"(?<!/)\b(patient|customer|survey|alert|risk|metric|consumer|case manager|score card)s?\b", re.I
)
TAGS = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}|role=\"alert\"|allauth/elements/alert", re.S)
NOT_READ = re.compile(
    r"\s(class|href|src|id|for|name|hx-[\w-]+)=\"[^\"]*\"|{%\s*(include|extends|load)[^%]*%}"
)


@pytest.mark.parametrize("name", named(TEMPLATES))
def test_pages_use_the_words_of_the_product(name):
    read = NOT_READ.sub(" ", TAGS.sub(" ", text_of(ROOT / name)))
    assert AVOIDED.findall(read) == []


def _spoken(path):
    """The strings of a module that are not docstrings; one without a space is a name and no sentence."""
    tree = ast.parse(text_of(path))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        said = node.value if isinstance(node, ast.Constant) and id(node) not in silent else None
        if isinstance(said, str) and " " in said.strip():
            yield said


def test_sentences_made_in_python_use_them_too():
    found = {name: [s for s in _spoken(ROOT / name) if AVOIDED.search(s)] for name in named(MODULES)}
    assert {name: said for name, said in found.items() if said} == {}


# Four-word pieces of published scales that are under licence, as hashes: their wording is never shipped,
# and this file must not hold it either.
LICENSED = {
    "6476c76d4ab08ada99ec",
    "8e0d76028f82870ff6d1",
    "cf728f172a7b6a09762a",
    "c95ace785ea525b70820",
    "70724d57cff0f12c8c48",
    "d1a320128376bd4a0613",
    "a82bc9ce75121b43616b",
    "b5703905ea257daa9baa",
    "e55bdd2153b6efe2c47e",
    "762d8b6df23b4947f058",
}


def test_no_licensed_wording_is_shipped():
    def pieces(path):
        words = re.findall(r"[a-z]+", text_of(path).lower())
        return {" ".join(words[place : place + 4]) for place in range(len(words) - 3)}

    def is_licensed(piece):
        return hashlib.sha256(piece.encode()).hexdigest()[:20] in LICENSED

    found = {name: [p for p in pieces(ROOT / name) if is_licensed(p)] for name in named(WRITTEN)}
    assert {name: held for name, held in found.items() if held} == {}


# --- Commands, settings, services ----------------------------------------------------------------


def _targets():
    return set(re.findall(r"^([a-z-]+):.*## ", text_of(ROOT / "Makefile"), re.M))


@pytest.mark.parametrize("name", named(path for path in FILES if path.suffix == ".md"))
def test_documented_commands_exist(name):
    # In code only: prose may "make sure".
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text_of(ROOT / name), re.S))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= _targets()
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    django = {
        "migrate",
        "clearsessions",
        "shell",
        "check",
        "runserver",
        "collectstatic",
        "makemigrations",
    }
    assert set(re.findall(r"manage\.py\s+([a-z_]+)", code)) <= commands | django


FOLDERS = sorted({path.relative_to(ROOT).parts[0] for path in FILES if path.parent != ROOT} - {".ci"})
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
TO_BE_WRITTEN = "locale/pt/"  # the handbook's example of a language to add


def _anchors(path):
    """The headings of a page as its readers' links name them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", named(path for path in FILES if path.suffix == ".md"))
def test_what_the_documents_name_is_there(name):
    page = ROOT / name
    paths = [one for one in PATH.findall(text_of(page)) if not one.startswith(TO_BE_WRITTEN)]
    assert [one for one in paths if not list(ROOT.glob(one.rstrip("/")))] == []
    for linked, anchor in LINK.findall(text_of(page)):
        aim = page.parent / linked if linked else page
        assert aim.exists(), linked
        assert not anchor or anchor in _anchors(aim), anchor


def _table(heading):
    text = text_of(ROOT / "docs" / "deployment.md")
    part = text[text.index(heading) :]
    table = part[part.index("|---") :].split("\n\n")[0]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.M))


READ_BY_THE_SITE = set(
    re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", text_of(ROOT / "alliance" / "settings.py"))
)


def test_every_setting_is_documented_and_every_documented_one_is_read():
    assert _table("## Settings") == READ_BY_THE_SITE
    compose = text_of(ROOT / "docker-compose.yml")
    listening = text_of(ROOT / "alliance" / "operations" / "listening.py")
    by_the_server = set(re.findall(r"\benv\.\w+\(\"([A-Z_]+)\"", listening))
    for name in _table("Read by the start script"):
        assert f"${{{name}:" in compose or name in by_the_server
    assert by_the_server <= _table("Read by the start script") | READ_BY_THE_SITE


def test_the_example_file_names_every_setting_and_no_other():
    example = re.findall(r"^([A-Z_]+)=", text_of(ROOT / ".env.example"), re.M)
    assert len(example) == len(set(example))
    of_compose_itself = {"COMPOSE_PROFILES"}
    assert set(example) - of_compose_itself == _table("## Settings") | _table("Read by the start script")


def test_every_setting_in_the_example_file_has_its_comment():
    lines = text_of(ROOT / ".env.example").splitlines()
    for before, line in pairwise(lines):
        if re.match(r"[A-Z_]+=", line):
            assert before.startswith("# ") or "=" in before, line


COMPOSE = yaml.safe_load(text_of(ROOT / "docker-compose.yml"))


def test_the_compose_file_holds_no_secret_and_opens_nothing_to_the_world():
    services = COMPOSE["services"]
    assert set(services) == {"migrate", "web", "proxy", "clock", "db"}
    assert services["proxy"]["profiles"] == ["proxy"], "started where it is asked for"
    settings = services["web"]["environment"] | services["db"]["environment"]
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "TIME_ZONE", "POSTGRES_PASSWORD"):
        assert re.fullmatch(r"\$\{[A-Z_]+:\?is missing in \.env; .+\}", settings[name]), name
    opened = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert opened == {"web": ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"], "proxy": ["443:443", "80:80"]}
    for name in ("web", "proxy", "clock", "db"):
        assert services[name]["restart"] == "unless-stopped", name
        assert services[name]["healthcheck"]["test"], name
    for name in ("migrate", "web", "clock", "proxy"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]


def test_the_compose_files_site_may_change_no_table():
    services = COMPOSE["services"]
    with_the_owner = {name for name, one in services.items() if "OWNER" in str(one["environment"])}
    assert with_the_owner == {"migrate", "db"}
    assert services["web"]["environment"]["DATABASE_URL"].startswith("postgres://alliance_site:")
    assert services["migrate"]["environment"]["DATABASE_OWNER_URL"].startswith("postgres://alliance:")
    assert any("/docker-entrypoint-initdb.d/" in one for one in services["db"]["volumes"])


def test_the_compose_file_passes_on_settings_that_the_site_reads():
    passed = set(COMPOSE["services"]["web"]["environment"])
    assert passed <= READ_BY_THE_SITE | _table("Read by the start script")
    # The owner's address is the service migrate's alone; there is no pooler; the rest is for a try-out.
    left_out = {"DATABASE_OWNER_URL", "DATABASE_POOLER", "HTTPS", "SECOND_FACTOR", "DEBUG"}
    assert READ_BY_THE_SITE - passed == left_out | {"DEMO", "DEMO_ON_POSTGRESQL"}


def test_what_the_image_copies_is_what_the_ignore_file_lets_in():
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text_of(ROOT / "Dockerfile"), re.M)
        for source in line.split()
    }
    let_in = {line[1:] for line in text_of(ROOT / ".dockerignore").splitlines() if line.startswith("!")}
    assert copied == let_in
    assert all((ROOT / source).exists() for source in copied)
    assert "USER alliance" in text_of(ROOT / "Dockerfile")
