"""The page clinicians read must say what the program does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from alliance.measurement import rule_words
from alliance.measurement.false_alarms import DETECTION, FOUND, IN_TEN, LISTS, PER_SESSION
from alliance.measurement.flag_rules import RULES
from alliance.measurement.overdue import OVERDUE_AFTER
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import RepairState
from alliance.measurement.returns import from_data
from alliance.measurement.scoring import points
from alliance.measurement.shipped_returns import SHIPPED
from alliance.measurement.simulate import VARIANTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clinical-rules.md"
# Line breaks are the page's own business.
TEXT = " ".join(PAGE.read_text("utf-8").split())
ROWS = {
    "A": "A below cutoff",
    "A_new": "A, new",
    "A_woken": "A, woken (former list)",
    "B": "B low line",
    "C": "C sudden fall",
    "C_calls": "C, calls (6.0 or more)",
    "C_small": "(fall of 1.0 or more; never a flag)",
    "D": "D decline",
    "E": "E below own range",
    "F": "F flat at the top",
    "G": "G missing",
    "J": "J lasting fall",
    "J_calls": "J, calls",
    "work_list": "on the work list",
    "former_list": "on the former list",
}


WORDS = {
    RepairState.OPEN: "open", RepairState.DISCUSSED: "talked about", RepairState.STILL_LOW: "still low",
    RepairState.RECOVERING: "recovering", RepairState.NOT_BACK: "not back after three ratings",
    RepairState.BACK_ONCE: "back once", RepairState.RECOVERED: "recovered", RepairState.FELL_AGAIN: "fell again",
    RepairState.UNREPAIRED: "ended unrepaired",
}  # fmt: skip


def per_cent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.letter)
def test_the_page_prints_each_rule_as_it_is(rule):
    section = re.search(rf"### {rule.letter}: {rule.name} (.*?) (?:### |## )", TEXT)[1]
    for text in (rule.definition, rule.source, rule.not_meaning):
        assert text in section
    rates = f"{per_cent(rule.per_session)} of sessions; {per_cent(rule.in_ten)} of clients"
    assert (rates in section) == rule.is_simulated
    assert ("Not on the work list" in section) != bool(rule_words.calls(rule.letter, Parameters()))


@pytest.mark.parametrize(("key", "name"), ROWS.items())
def test_the_table_has_the_rates_of_the_program(key, name):
    rates = [per_cent(table[v][key]) for v in VARIANTS for table in (PER_SESSION, IN_TEN)]
    assert f"| {name} | {' | '.join(rates)} |" in TEXT


def test_no_figure_of_the_program_is_left_out():
    assert set(ROWS) == set(PER_SESSION["standard"])


@pytest.mark.parametrize("key", "ACDEJ")
def test_the_table_has_the_detection_of_the_program(key):
    shares = [per_cent(share) for change in ("fall", "slide") for share in DETECTION["standard"][change][key]]
    assert f"| {ROWS[key]} | {' | '.join(shares)} |" in TEXT


@pytest.mark.parametrize("name", LISTS["standard"])
def test_the_page_has_the_figures_of_the_list(name):
    place = list(LISTS["standard"]).index(name)
    for figure in LISTS["standard"][name]:
        assert re.search(rf"\| {'[^|]+ [|] ' * place}{figure:.1f} ", TEXT)
    for change, (found, chance, delay) in FOUND["standard"][name].items():
        said = f"{per_cent(found)} ({per_cent(chance)}), {delay}"
        row = re.search(rf"\| {change}: found, by chance, delay \| ([^|]+) \| ([^|]+) \|", TEXT)
        assert row[1 + place] == said
    for variant in ("low", "high", "growth"):
        assert (
            f"{LISTS[variant][name][1]:.1f}"
            in re.search(rf"\| {variant} \|[^\n]*", PAGE.read_text("utf-8"))[0]
        )


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("stable", "nothing is wrong"),
        ("fall", "a fall of 5.0 stays"),
        ("half", "of a fall of 8.0 half comes back"),
        ("slide", "a slide of 1.0 a session goes on"),
    ],
)
def test_the_page_has_what_becomes_of_low_points(what, words):
    one = from_data(SHIPPED["standard"])[what]
    shares = (one.back, one.recovered, one.not_back, one.recovering)
    assert f"| {words} | {' | '.join(map(per_cent, shares))} |" in TEXT


def test_the_page_has_the_returns_of_other_populations():
    low, high = (per_cent(SHIPPED[variant]["stable"]["back"]) for variant in ("low", "high"))
    assert f"({low} where ratings are low in general, {high} where they are high)" in TEXT
    assert f"That is {per_cent(SHIPPED['standard']['stable']['per_session'])} of sessions" in TEXT


def test_the_page_names_every_state_of_a_low_point():
    assert all(f"| {WORDS[state]} |" in TEXT for state in RepairState)


def test_the_page_names_the_settings():
    p = Parameters()
    assert f"cutoff {p.cutoff / 10:.1f}" in TEXT
    assert f"line cutoff {p.item_cutoff / 10:.1f}" in TEXT
    assert f"fall {p.sudden_fall / 10:.1f}" in TEXT
    assert f"{points(p.flat_top)}; {p.flat_top_sessions} ratings" in TEXT
    assert f"{OVERDUE_AFTER / timedelta(hours=1):.0f} hours; {p.missing_flag} of {p.missing_of}" in TEXT
    assert f"fall {p.lasting_fall / 10:.1f}; limit {p.lasting_limit / 100:.2f}" in TEXT
    assert f"held within {p.hold_within / 10:.1f}" in TEXT
    assert f"sudden fall of {p.calls_from_fall / 10:.1f} or more" in TEXT
    assert f"another {p.badge_fall / 10:.1f} points below" in TEXT
    assert f"prior spread {p.s0 / 10:.1f} with weight {p.nu0}" in TEXT


def test_the_page_says_what_ratings_cannot_do_and_where_its_figures_come_from():
    assert "Ratings do not detect suicide risk" in TEXT
    assert "manage.py simulate_flags" in TEXT
    assert "statistical, not validated" in TEXT
