"""The page *Health*: for administrators, the same as the command says, and nothing about clients."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client as Browser

from alliance import error_pages
from alliance.operations import findings
from alliance.operations.findings import ASKED, PAGE, check, failed, ok, warning

ROOT = Path(__file__).resolve().parent.parent.parent.parent
HEALTH = "/clinic/health/"


@pytest.fixture
def found(monkeypatch):
    """What is found, in place of this machine's own state."""
    monkeypatch.setattr(findings, "_CHECKS", {})
    monkeypatch.setattr(findings, "_OF_REQUEST", {})
    shown = []
    check("of the test", at=PAGE, asks_database=False)(lambda: shown)
    check("on demand", at=ASKED, asks_database=False)(lambda: [ok("mail", "The mail server answers.")])
    return shown


@pytest.mark.django_db
def test_it_says_what_is_wrong_first_and_what_to_do(clinic, sign_in, found):
    found += [
        ok("a", "This is well."),
        warning("b", "This grows <old>.", "See to it."),
        failed("c", "This is away.", "Bring it back."),
    ]
    answer = sign_in(clinic.adam).get(HEALTH)
    places = [
        answer.text.index(words) for words in ("1 failure and 1", "away", "back", "&lt;old&gt;", "well.")
    ]
    assert places == sorted(places)
    assert "mail server answers" not in answer.text

    del found[1:]
    assert "All is well." in sign_in(clinic.adam).get(HEALTH).text
    assert "mail server answers" in sign_in(clinic.adam).get(HEALTH, {"ask": "all"}).text


@pytest.mark.django_db
def test_it_is_for_administrators_and_in_their_navigation(clinic, sign_in):
    assert sign_in(clinic.sina).get(HEALTH).status_code == 403
    page = sign_in(clinic.adam).get(HEALTH)
    assert re.search(rf'href="{HEALTH}"\s+aria-current="page">Health', page.text)
    assert "K-1" not in page.text
    assert "Olga" not in page.text


# --- Where no page can be made -------------------------------------------------------------------


def test_no_static_files_is_no_empty_page(settings, monkeypatch):
    """Every page names some, the one about errors too."""

    def without(*args):
        raise ValueError("Missing staticfiles manifest entry")

    monkeypatch.setattr("django.templatetags.static.StaticNode.handle_simple", without)
    browser = Browser(raise_request_exception=False)
    answer = browser.get("/accounts/login/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/plain; charset=utf-8")
    assert answer.text == error_pages.without_pages().text
    assert "manage.py doctor says what is wrong" in answer.text


def test_static_files_are_collected_with_postgresql_in_the_settings():
    """make static said "take DEMO out", which is on for this one command alone, and never meant."""
    said = subprocess.run(
        ["make", "-n", "static"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (collecting,) = (line for line in said.splitlines() if "collectstatic" in line)
    command = collecting.replace(".venv/bin/python", sys.executable).split()
    clinics = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "TIME_ZONE": "UTC",
    }
    ran = subprocess.run(
        [*command, "--dry-run"], cwd=ROOT, env=clinics, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "take DEMO out" in ran.stderr) == (0, False), ran.stderr
